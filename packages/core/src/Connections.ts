/**
 * Which connections live: one per pair of peers, kept by the larger sid.
 *
 * Decides about connections, never about bytes. The shell reports what happened
 * (`Event`) and does what it is told (`Output`); a connection is a number that the
 * shell gives it. The rule of who keeps a connection is `Challenge`.
 *
 *     event            | known larger sid        | known smaller sid
 *     ConnectRequested | Dial, unless linked or dialling (either)
 *     Dialed           | Close Yielded           | Adopt, Close the older one
 *     Accepted         | Adopt, Close the older  | Close it, Dial
 *
 * Java: `QuorumCnxManager`, its senderWorkerMap and inprogressConnections.
 */
import type * as Address from "./Address.ts"
import * as Challenge from "./Challenge.ts"
import type { Membership } from "./Ensemble.ts"
import * as QuorumServer from "./QuorumServer.ts"
import type { Rules } from "./Rules.ts"
import { OBSERVER_ID, type Sid } from "./Sid.ts"

/** A connection, by the number that the shell gave it: the later it was dialled or accepted, the higher. */
export type LinkId = number

/** The connections there are, and those on their way. */
export interface State {
  /** The connection of each peer that has one. Java: senderWorkerMap. */
  readonly links: ReadonlyMap<Sid, LinkId>
  /** Whom we are dialling. Java: inprogressConnections. */
  readonly dialing: ReadonlySet<Sid>
  /**
   * Who of a smaller sid has dialled us while we were dialling it, and where it says it lives. Our dial may have begun
   * before it listened; if it fails we dial once more, for nobody else will.
   */
  readonly callers: ReadonlyMap<Sid, ReadonlyArray<Address.Address>>
  /** The id of the last anonymous observer; they count down from -1. Java: observerCounter. */
  readonly observerCounter: Sid
}

/** What decides where a peer is found. */
export interface View {
  readonly mySid: Sid
  readonly membership: Membership
  readonly rules: Pick<Rules, "dialConfiguredAddresses" | "redialBeforeClosing">
}

/** What happened. */
export type Event =
  /** Something is to be sent to this peer. Java: connectOne. */
  | { readonly _tag: "ConnectRequested"; readonly sid: Sid }
  /** We dialled, and our handshake is sent. Java: startConnection. */
  | { readonly _tag: "Dialed"; readonly link: LinkId; readonly sid: Sid }
  /** No address of the peer answered, or our handshake could not be sent. */
  | { readonly _tag: "DialFailed"; readonly sid: Sid }
  /** Somebody dialled us, and its handshake is read. Java: handleConnection. */
  | {
    readonly _tag: "Accepted"
    readonly link: LinkId
    readonly sid: Sid
    /** Where it says it can be reached. */
    readonly announced: ReadonlyArray<Address.Address>
  }
  /** A connection is gone, whoever closed it. */
  | { readonly _tag: "Closed"; readonly link: LinkId; readonly sid: Sid }

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

/** The next state, and what to do. */
export type Step = readonly [State, ReadonlyArray<Output>]

/** No connections. */
export const empty: State = { links: new Map(), dialing: new Set(), callers: new Map(), observerCounter: 0n }

/** What one event leads to. */
export const step = (view: View, state: State, event: Event): Step => {
  switch (event._tag) {
    case "ConnectRequested":
      return state.links.has(event.sid) ? [state, []] : dial(view, state, event.sid, [])
    case "Dialed":
      return onDialed(view, dialOver(state, event.sid), event)
    case "DialFailed": {
      const announced = state.callers.get(event.sid)
      const next = dialOver(state, event.sid)
      return announced === undefined ? [next, []] : dial(view, next, event.sid, announced)
    }
    case "Accepted":
      return onAccepted(view, state, event)
    case "Closed":
      return state.links.get(event.sid) === event.link ? [unlink(state, event.sid), []] : [state, []]
  }
}

/** Where a member can be dialled: its committed addresses, then others that a pending configuration gives. */
export const addressesOf = ({ committed, lastSeen }: Membership, sid: Sid): ReadonlyArray<Address.Address> => {
  const addresses = [committed, lastSeen].flatMap(({ servers }) => {
    const server = servers.get(sid)
    return server === undefined ? [] : QuorumServer.electionAddresses(server)
  })
  return addresses.filter((address, index) =>
    addresses.findIndex(({ host, port }) => host === address.host && port === address.port) === index
  )
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const onDialed = (view: View, state: State, { link, sid }: Event & { readonly _tag: "Dialed" }): Step => {
  switch (Challenge.onDialed(view.mySid, sid)) {
    case "Yield":
      return [state, [{ _tag: "Close", link, sid, reason: "Yielded", linger: false }]]
    case "Keep":
      return adopt(state, link, sid, view.rules.redialBeforeClosing)
  }
}

const onAccepted = (view: View, state: State, event: Event & { readonly _tag: "Accepted" }): Step => {
  const { announced, link } = event
  const anonymous = event.sid === OBSERVER_ID
  const sid = anonymous ? state.observerCounter - 1n : event.sid
  const known = anonymous ? { ...state, observerCounter: sid } : state
  switch (Challenge.onAccepted(view.mySid, sid)) {
    case "Keep":
      return (known.links.get(sid) ?? 0) > link
        ? [known, [{ _tag: "Close", link, sid, reason: "Overtaken", linger: false }]]
        : adopt(known, link, sid, false)
    case "Self":
      return [known, [{ _tag: "Close", link, sid, reason: "OwnSid", linger: false }]]
    case "DialBack": {
      const refused: Output = { _tag: "Close", link, sid, reason: "DialingBack", linger: false }
      const older = view.rules.redialBeforeClosing ? undefined : known.links.get(sid)
      const [closed, outputs] = older === undefined
        ? [known, [refused]]
        : [unlink(known, sid), [replaced(older, sid, false), refused]]
      if (closed.dialing.has(sid)) return [{ ...closed, callers: new Map(closed.callers).set(sid, announced) }, outputs]
      const [next, dialed] = dial(view, closed, sid, announced)
      return [next, [...outputs, ...dialed]]
    }
  }
}

const dial = (view: View, state: State, sid: Sid, announced: ReadonlyArray<Address.Address>): Step => {
  if (state.dialing.has(sid) || sid === view.mySid) return [state, []]
  const configured = addressesOf(view.membership, sid)
  const [first, second] = view.rules.dialConfiguredAddresses ? [configured, announced] : [announced, configured]
  const addresses = first.length > 0 ? first : second
  if (addresses.length === 0) return [state, [{ _tag: "NoAddress", sid }]]
  return [{ ...state, dialing: new Set(state.dialing).add(sid) }, [{ _tag: "Dial", sid, addresses }]]
}

const adopt = (state: State, link: LinkId, sid: Sid, linger: boolean): Step => {
  const older = state.links.get(sid)
  return [
    { ...state, links: new Map(state.links).set(sid, link) },
    [...(older === undefined ? [] : [replaced(older, sid, linger)]), { _tag: "Adopt", link, sid }]
  ]
}

const replaced = (link: LinkId, sid: Sid, linger: boolean): Output => ({
  _tag: "Close",
  link,
  sid,
  reason: "Replaced",
  linger
})

const unlink = (state: State, sid: Sid): State => {
  const links = new Map(state.links)
  links.delete(sid)
  return { ...state, links }
}

const dialOver = (state: State, sid: Sid): State => {
  const dialing = new Set(state.dialing)
  const callers = new Map(state.callers)
  dialing.delete(sid)
  callers.delete(sid)
  return { ...state, dialing, callers }
}
