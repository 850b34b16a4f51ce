/**
 * Which connections live: one per pair of peers, kept by the larger sid.
 *
 * Decides about connections, never about bytes. The shell reports what happened
 * (`Event`) and does what it is told (`Output`); a connection is a number that the
 * shell gives it. The rule of who keeps a connection is `Challenge`.
 *
 *     event            | from or with a larger sid        | a smaller sid
 *     ConnectRequested | Dial, unless linked or dialling (either)
 *     Dialed           | Close Yielded, RedialLater*      | Adopt, Close the older one
 *     Accepted         | Adopt, Close the older one       | Close it, Dial
 *     DialFailed       | RedialLater* (either)
 *     Closed           | Dial*, but RedialLater* if it    | Dial*, but RedialLater* if it
 *                      | was of no use or not the first   | was of no use
 *
 *     * if the peer is wanted
 *
 * Java: `QuorumCnxManager`, its senderWorkerMap and inprogressConnections.
 */
import type * as Address from "./Address.ts"
import * as Challenge from "./Challenge.ts"
import type { CloseReason, LinkId, Output } from "./ConnectionsOutput.ts"
import type { Membership } from "./Ensemble.ts"
import * as QuorumServer from "./QuorumServer.ts"
import type { Rules } from "./Rules.ts"
import { OBSERVER_ID, type Sid } from "./Sid.ts"
import * as SidMap from "./internal/sidMap.ts"
import * as SidSet from "./internal/sidSet.ts"

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
  /** Whom to be connected with without being asked again, and how often in a row that came to nothing. */
  readonly wanted: ReadonlyMap<Sid, number>
  /** The id of the last anonymous observer; they count down from -1. Java: observerCounter. */
  readonly observerCounter: Sid
}

/** What decides where a peer is found. */
export interface View {
  readonly mySid: Sid
  readonly membership: Membership
  readonly rules: Pick<Rules, "dialConfiguredAddresses" | "redialBeforeClosing">
  /** Is it worth asking whether the address of a live connection still answers? Java: multiAddress.enabled. */
  readonly probeAddresses: boolean
}

/**
 * Peers that no configuration knows and that may be connected at once, or dialled back. The original has no bound; this
 * is that of its connection threads. Java: quorumCnxnThreadsSize, 20.
 */
export const STRANGERS_MAX = 20

/** What happened. */
export type Event =
  /** Something is to be sent to this peer. Java: connectOne. */
  | { readonly _tag: "ConnectRequested"; readonly sid: Sid }
  /** Be connected with these peers, and no longer insist on others. */
  | { readonly _tag: "Wanted"; readonly sids: ReadonlySet<Sid> }
  /** The time of a `RedialLater` has come. */
  | { readonly _tag: "RedialDue"; readonly sid: Sid }
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
  /** A connection is gone, whoever closed it; `useful` if a frame ever came over it. */
  | { readonly _tag: "Closed"; readonly link: LinkId; readonly sid: Sid; readonly useful: boolean }
  /** The far address of a connection does not answer any more. */
  | { readonly _tag: "ProbeFailed"; readonly link: LinkId; readonly sid: Sid }

/** The next state, and what to do. */
export type Step = readonly [State, ReadonlyArray<Output>]

/** No connections. */
export const empty: State = {
  links: SidMap.empty,
  dialing: SidSet.empty,
  callers: SidMap.empty,
  wanted: SidMap.empty,
  observerCounter: 0n
}

/** What one event leads to. */
export const step = (view: View, state: State, event: Event): Step => {
  switch (event._tag) {
    case "ConnectRequested":
      return onConnectRequested(view, state, event.sid)
    case "Wanted":
      return onWanted(view, state, event.sids)
    case "RedialDue":
      return onRedialDue(view, state, event.sid)
    case "Dialed":
      return onDialed(view, dialOver(state, event.sid), event)
    case "DialFailed":
      return onDialFailed(view, state, event.sid)
    case "Accepted":
      return onAccepted(view, state, event)
    case "Closed":
      return onClosed(view, state, event)
    case "ProbeFailed":
      return [state, isLink(state, event) ? [close(event.link, event.sid, "Unreachable")] : []]
  }
}

/** Where a member can be dialled: its committed addresses, then others that a pending configuration gives. */
export const addressesOf = ({ committed, lastSeen, me }: Membership, sid: Sid): ReadonlyArray<Address.Address> => {
  const inForce = committed.servers.get(sid)
  const seen = lastSeen.servers.get(sid)
  const former = inForce === undefined && seen === undefined && me?.sid === sid ? me : undefined
  const addresses: Array<Address.Address> = []
  for (const server of [inForce, seen, former]) {
    if (server === undefined) continue
    for (const address of QuorumServer.electionAddresses(server)) {
      if (!addresses.some(({ host, port }) => host === address.host && port === address.port)) addresses.push(address)
    }
  }
  return addresses
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

// Asked before every message, and nearly always there is a link.
const nothing: ReadonlyArray<Output> = []

const onConnectRequested = (view: View, state: State, sid: Sid): Step => {
  const link = state.links.get(sid)
  if (link === undefined) return dial(view, state, sid, [])
  const probe = view.probeAddresses && addressesOf(view.membership, sid).length > 1
  return [state, probe ? [{ _tag: "Probe", link, sid }] : nothing]
}

const onWanted = (view: View, state: State, sids: ReadonlySet<Sid>): Step => {
  const others: Array<Sid> = []
  for (const sid of sids) if (sid !== view.mySid) others.push(sid)
  const wanted = SidMap.fill(others, 0)
  const outputs: Array<Output> = []
  let next: State = { ...state, wanted }
  for (const sid of others) {
    if (next.links.has(sid)) continue
    const [after, dialed] = dial(view, next, sid, [])
    next = after
    outputs.push(...dialed)
  }
  return [next, outputs]
}

const onDialed = (view: View, state: State, { link, sid }: Event & { readonly _tag: "Dialed" }): Step => {
  switch (Challenge.onDialed(view.mySid, sid)) {
    case "Yield": {
      // It dials us now; if that never comes to anything we call again.
      const [next, later] = state.links.has(sid) ? [state, []] : redialLater(state, sid)
      return [next, [close(link, sid, "Yielded"), ...later]]
    }
    case "Keep":
      return adopt(state, link, sid, view.rules.redialBeforeClosing)
  }
}

const onDialFailed = (view: View, state: State, sid: Sid): Step => {
  const announced = state.callers.get(sid)
  const next = dialOver(state, sid)
  if (announced !== undefined) return dial(view, next, sid, announced)
  return next.links.has(sid) ? [next, []] : redialLater(next, sid)
}

const onClosed = (view: View, state: State, event: Event & { readonly _tag: "Closed" }): Step => {
  if (!isLink(state, event)) return [state, []]
  const { sid, useful } = event
  const next = unlink(state, sid)
  const failures = next.wanted.get(sid)
  if (!useful || failures === undefined) return redialLater(next, sid)
  // Whom we yield to dials us, and the original closes a connection in order to do so. If we dialled at once every
  // time it would take our call for a reason to close its next one, and so on without end.
  const isYielding = Challenge.onDialed(view.mySid, sid) === "Yield"
  if (isYielding && failures > 0) return redialLater(next, sid)
  const wanted = SidMap.set(next.wanted, sid, isYielding ? 1 : 0)
  return dial(view, { ...next, wanted }, sid, [])
}

// Who is connected when its time has come has not failed us.
const onRedialDue = (view: View, state: State, sid: Sid): Step => {
  if (!state.wanted.has(sid)) return [state, []]
  return state.links.has(sid)
    ? [{ ...state, wanted: SidMap.set(state.wanted, sid, 0) }, []]
    : dial(view, state, sid, [])
}

// Says how often in a row nothing came of it; how long to wait for that is the shell's to know.
const redialLater = (state: State, sid: Sid): Step => {
  const failures = state.wanted.get(sid)
  if (failures === undefined) return [state, []]
  const wanted = SidMap.set(state.wanted, sid, failures + 1)
  return [{ ...state, wanted }, [{ _tag: "RedialLater", sid, failures: failures + 1 }]]
}

const onAccepted = (view: View, state: State, event: Event & { readonly _tag: "Accepted" }): Step => {
  const { announced, link } = event
  const anonymous = event.sid === OBSERVER_ID
  const sid = anonymous ? state.observerCounter - 1n : event.sid
  const known = anonymous ? { ...state, observerCounter: sid } : state
  const verdict = Challenge.onAccepted(view.mySid, sid)
  if (verdict === "Self") return [known, [close(link, sid, "OwnSid")]]
  if (isOneStrangerTooMany(view, known, sid)) return [known, [close(link, sid, "TooManyStrangers")]]
  if (verdict === "DialBack") return dialBack(view, known, sid, link, announced)
  const newer = (known.links.get(sid) ?? 0) > link
  return newer ? [known, [close(link, sid, "Overtaken")]] : adopt(known, link, sid, false)
}

const dialBack = (
  view: View,
  state: State,
  sid: Sid,
  link: LinkId,
  announced: ReadonlyArray<Address.Address>
): Step => {
  const older = view.rules.redialBeforeClosing ? undefined : state.links.get(sid)
  const closing = [...(older === undefined ? [] : [close(older, sid, "Replaced")]), close(link, sid, "DialingBack")]
  const next = older === undefined ? state : unlink(state, sid)
  if (next.dialing.has(sid)) return [{ ...next, callers: SidMap.set(next.callers, sid, announced) }, closing]
  const [dialing, outputs] = dial(view, next, sid, announced)
  return [dialing, [...closing, ...outputs]]
}

const isOneStrangerTooMany = ({ membership }: View, { dialing, links }: State, sid: Sid): boolean => {
  const isStranger = (sid: Sid) => !membership.committed.servers.has(sid) && !membership.lastSeen.servers.has(sid)
  if (!isStranger(sid) || links.has(sid) || dialing.has(sid)) return false
  return Array.from(new Set([...links.keys(), ...dialing])).filter(isStranger).length >= STRANGERS_MAX
}

const dial = (view: View, state: State, sid: Sid, announced: ReadonlyArray<Address.Address>): Step => {
  if (state.dialing.has(sid) || sid === view.mySid) return [state, []]
  const configured = addressesOf(view.membership, sid)
  const [first, second] = view.rules.dialConfiguredAddresses ? [configured, announced] : [announced, configured]
  const addresses = first.length > 0 ? first : second
  if (addresses.length === 0) return [state, [{ _tag: "NoAddress", sid }]]
  return [{ ...state, dialing: SidSet.add(state.dialing, sid) }, [{ _tag: "Dial", sid, addresses }]]
}

const adopt = (state: State, link: LinkId, sid: Sid, linger: boolean): Step => {
  const older = state.links.get(sid)
  return [
    { ...state, links: SidMap.set(state.links, sid, link) },
    [...(older === undefined ? [] : [close(older, sid, "Replaced", linger)]), { _tag: "Adopt", link, sid }]
  ]
}

const close = (link: LinkId, sid: Sid, reason: CloseReason, linger = false): Output => ({
  _tag: "Close",
  link,
  sid,
  reason,
  linger
})

// A connection that was replaced is nobody's any more.
const isLink = ({ links }: State, { link, sid }: { readonly link: LinkId; readonly sid: Sid }): boolean =>
  links.get(sid) === link

const unlink = (state: State, sid: Sid): State => ({ ...state, links: SidMap.remove(state.links, sid) })

const dialOver = (state: State, sid: Sid): State => {
  // Callers are remembered for a dial that is under way.
  if (!state.dialing.has(sid)) return state
  return { ...state, dialing: SidSet.remove(state.dialing, sid), callers: SidMap.remove(state.callers, sid) }
}
