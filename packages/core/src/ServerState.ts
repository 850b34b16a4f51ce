/**
 * The four states of a peer and their codes on the wire.
 *
 * Java: `QuorumPeer.ServerState`, whose ordinals are the codes.
 */

/** What a peer is doing. */
export type ServerState = "LOOKING" | "FOLLOWING" | "LEADING" | "OBSERVING"

/** What a peer is once it no longer looks. */
export type SettledState = Exclude<ServerState, "LOOKING">

const states: ReadonlyArray<ServerState> = ["LOOKING", "FOLLOWING", "LEADING", "OBSERVING"]

/** The wire code, 0 to 3. */
export const toCode = (state: ServerState): number => states.indexOf(state)

/** The state of a wire code, or `undefined` for any other signed 32-bit value. */
export const fromCode = (code: number): ServerState | undefined => states[code]
