/**
 * What looks true of elections and is not: claims, each with a small ensemble in which it is refuted. The core as
 * shipped is explored, and the shortest way to the contrary is told.
 *
 * Whoever builds on elections must not rely on any of it.
 */
import type * as Election from "@conclave/core/Election"
import type * as ElectionModel from "./ElectionModel.ts"

/** Something that does not hold. */
export interface Claim {
  readonly says: string
  /** Where it is refuted. */
  readonly options: Omit<ElectionModel.Options, "claim" | "reducers">
  /** Does this step agree with it? Where there is no such question, all must always have the same leader. */
  readonly holds: ((after: ElectionModel.Scene, before: ElectionModel.Scene) => boolean) | null
}

const alike = [{ sid: 1 }, { sid: 2 }, { sid: 3 }]

/** The third has more transactions than the second, of an older epoch. */
const unlike = [{ sid: 1, epoch: 1, zxid: 9 }, { sid: 2, epoch: 2, zxid: 7 }, { sid: 3, epoch: 1, zxid: 8 }]

/** What looks true, by name. */
export const claims = {
  "one-leader": {
    says: "one leader at a time, or at least one in a round",
    options: { peers: alike, bounds: { rounds: 1 } },
    holds: (scene) => leading(scene).length < 2
  },
  "soon-one-leader": {
    says: "one leader once everybody has found one",
    options: { peers: alike, bounds: { rounds: 1 } },
    holds: (scene) => leading(scene).length < 2 || !scene.every((peer) => settledOf(peer) !== null)
  },
  "best": {
    says: "the best of those that are up is elected",
    options: { peers: unlike, bounds: { rounds: 1 } },
    holds: (scene) => isBest(scene)
  },
  "leads-by-then": {
    says: "who is followed knows by then that it leads",
    options: { peers: alike, bounds: { rounds: 1 } },
    holds: (scene) => {
      const chosen = scene.map(settledOf).filter((settled) => settled !== null)
      return chosen.every(({ currentVote }) => settledOf(peerOf(scene, currentVote.leader)) !== null)
    }
  },
  "supporters": {
    says: "who believes in a quorum has one that still votes so",
    options: { peers: alike, bounds: { rounds: 1 } },
    holds: (after, before) => before.every((peer, index) => isSupported(after, peer, after[index]!))
  },
  "fresh": {
    says: "who is followed is at least as fresh as its followers",
    options: { peers: unlike, bounds: { rounds: 1 } },
    holds: (scene) =>
      scene.every((peer) => {
        const settled = settledOf(peer)
        return settled === null || !isFresher(peer, peerOf(scene, settled.currentVote.leader))
      })
  },
  "clock": {
    says: "a clock never goes back while its process lives: a higher round means a later election",
    options: { peers: alike, bounds: { rounds: 2, looks: 1 } },
    holds: (after, before) =>
      before.every(({ election, up }, index) => {
        const next = after[index]!
        return !up || !next.up || next.election.logicalClock >= election.logicalClock
      })
  },
  "late": {
    says: "where messages are faster than timers, who starts late does no harm",
    options: { peers: alike, timers: "Patient", starts: "Separately", bounds: { rounds: 1 } },
    holds: null
  },
  "two-losses": {
    says: "where messages are faster than timers, the loss of two does no harm",
    options: { peers: alike, timers: "Patient", bounds: { rounds: 1, losses: 2 } },
    holds: null
  }
} as const satisfies Record<string, Claim>

/** The name of a claim. */
export type ClaimName = keyof typeof claims

/** Is nobody fresher than who is followed? So it is where messages are faster than timers and all start together. */
export const isBest = (scene: ElectionModel.Scene): boolean =>
  scene.every((peer) => {
    const settled = settledOf(peer)
    return settled === null || scene.every((other) => !isFresher(other, peerOf(scene, settled.currentVote.leader)))
  })

/** A model in which the claim is what must hold. */
export const optionsOf = ({ holds, options }: Claim): ElectionModel.Options =>
  holds === null ? options : {
    ...options,
    claim: (after, before) => holds(after, before) ? null : { property: "claim", detail: "it does not hold any more" }
  }

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

type Standing = ElectionModel.Scene[number]

const settledOf = ({ election, up }: Standing): Election.Settled | null =>
  up && election._tag === "Settled" ? election : null

const leading = (scene: ElectionModel.Scene): ReadonlyArray<Standing> =>
  scene.filter((peer) => settledOf(peer)?.state === "LEADING")

const isFresher = ({ history: self }: Standing, { history: that }: Standing): boolean =>
  self.currentEpoch > that.currentEpoch ||
  (self.currentEpoch === that.currentEpoch && self.lastLoggedZxid > that.lastLoggedZxid)

/** Ids count from 1 here. */
const peerOf = (scene: ElectionModel.Scene, sid: bigint): Standing => scene[Number(sid) - 1]!

/** Whom somebody follows, or would vote for. */
const choiceOf = ({ election }: Standing): bigint =>
  election._tag === "Settled" ? election.currentVote.leader : election.proposal.leader

const isSupported = (scene: ElectionModel.Scene, before: Standing, after: Standing): boolean => {
  const { election } = before
  if (election._tag !== "Looking" || !election.finalizing || settledOf(after) === null) return true
  const { leader } = election.proposal
  return Array.from(election.recvSet).every(([sid, vote]) =>
    vote.leader !== leader || choiceOf(peerOf(scene, sid)) === leader)
}
