/**
 * What one step of a role comes to, as far as others are concerned.
 */
import type { Pledge } from "@conclave/core/Lease"
import type { Broken } from "../../../Explorer.ts"

/** What is to be done after a step; the role itself is done. */
export interface Outcome {
  /** The role that follows. */
  readonly role: number
  /** Packets by the links they go to; of a learner there is one link only, and its number here is 0. */
  readonly sends: ReadonlyArray<readonly [link: number, packet: number]>
  readonly closes: ReadonlyArray<number>
  /** `undefined` if it stays as it is. */
  readonly pledge: Pledge | null | undefined
  /** The epoch in which a quorum has activated it, or 0. */
  readonly activated: number
  /** The epoch in which it begins to follow, or 0. */
  readonly follows: number
  /** Is this the moment at which it supports a leader, another or itself? */
  readonly supports: boolean
  /** The epoch that it accepts in a way that counts, or 0. */
  readonly accepts: number
  /** Is the role over? */
  readonly over: boolean
  readonly broken: Broken | null
  /** What was decided, for people. */
  readonly told: ReadonlyArray<string>
}

/** An outcome that is still being made. */
export type Draft = { -readonly [Key in keyof Outcome]: Outcome[Key] } & {
  sends: Array<readonly [number, number]>
  closes: Array<number>
  told: Array<string>
}

/** Nothing has come of it yet. */
export const draft = (role: number): Draft => ({
  role,
  sends: [],
  closes: [],
  pledge: undefined,
  activated: 0,
  follows: 0,
  supports: false,
  accepts: 0,
  over: false,
  broken: null,
  told: []
})

/** Notes what must not be; the first one stays. */
export const blame = (draft: Draft, property: string, detail: string): void => {
  draft.broken ??= { property, detail }
}
