/**
 * What peers tell each other while they elect: one message in, one message out.
 *
 * Java: `FastLeaderElection.Notification`, `FastLeaderElection.ToSend`.
 */
import type { ServerState } from "./ServerState.ts"
import type { Sid } from "./Sid.ts"
import type { Proposal } from "./Vote.ts"

/** A message received: the sender's vote, its round and its state. */
export interface Notification extends Proposal {
  /** The sender, as its connection's handshake named it; not part of the bytes. */
  readonly from: Sid
  /** Format version; 0 for the 28- and 40-byte forms whatever their bytes say. */
  readonly version: number
  /** What the sender is doing; `UNKNOWN` for a code outside 0 to 3. */
  readonly state: ServerState | "UNKNOWN"
  /** The sender's round. */
  readonly electionEpoch: bigint
  /** The text of the sender's committed configuration; `null` where the form carries none. */
  readonly config: string | null
}

/** A message to be sent. */
export interface ToSend extends Proposal {
  readonly to: Sid
  readonly state: ServerState
  readonly electionEpoch: bigint
  /** The text of our committed configuration. */
  readonly config: string
}
