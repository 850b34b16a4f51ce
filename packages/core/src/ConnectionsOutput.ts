/**
 * What is decided about connections, as data: what to do, and why.
 */
import type * as Address from "./Address.ts"
import type { Sid } from "./Sid.ts"

/** A connection, by the number that the shell gave it: the later it was dialled or accepted, the higher. */
export type LinkId = number

/** What to do, in order. */
export type Output =
  /** Dial the first of these addresses that answers. */
  | { readonly _tag: "Dial"; readonly sid: Sid; readonly addresses: ReadonlyArray<Address.Address> }
  /** Start sending and receiving on this connection: it is the one with that peer. */
  | { readonly _tag: "Adopt"; readonly link: LinkId; readonly sid: Sid }
  /** Send nothing more on this connection, and close it. */
  | {
    readonly _tag: "Close"
    readonly link: LinkId
    readonly sid: Sid
    readonly reason: CloseReason
    /**
     * Leave it to the other side to close, for a moment, and listen as long. It closes when it has the new
     * connection; if we were faster it would be without any, and dial us again.
     */
    readonly linger: boolean
  }
  /** Ask again after a while, the longer the more attempts in a row have come to nothing. */
  | { readonly _tag: "RedialLater"; readonly sid: Sid; readonly failures: number }
  /** Ask whether the far address of this connection still answers; the peer has others. */
  | { readonly _tag: "Probe"; readonly link: LinkId; readonly sid: Sid }
  /** The peer cannot be dialled: no configuration and no handshake says where it is. */
  | { readonly _tag: "NoAddress"; readonly sid: Sid }

/** Why a connection is closed on purpose. */
export type CloseReason =
  /** We have the smaller sid: the other side closes too, and dials us. */
  | "Yielded"
  /** The other side has the smaller sid: we dial it. */
  | "DialingBack"
  /** A newer connection with the same peer takes its place. */
  | "Replaced"
  /** A newer connection with the same peer is in its place already: its handshake was faster. */
  | "Overtaken"
  /** The other side calls itself by our sid: two servers have the same `myid`, or we dialled ourselves. */
  | "OwnSid"
  /** Too many peers that no configuration knows are connected already. */
  | "TooManyStrangers"
  /** The address it goes to does not answer any more, and the peer has others. */
  | "Unreachable"
