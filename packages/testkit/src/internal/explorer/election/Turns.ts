/**
 * Steps of the reducers, each taken once: the same peer in the same state does the same when the same happens to it.
 */
import type * as Election from "@conclave/core/Election"
import type { Output } from "@conclave/core/ElectionOutput"
import type { Notification, ToSend } from "@conclave/core/Notification"
import * as Result from "effect/Result"
import type { Broken } from "../../../Explorer.ts"
import * as Line from "../../Line.ts"
import { nodeOf, type World } from "../../World.ts"
import * as Interner from "../Interner.ts"
import * as PeerKey from "./PeerKey.ts"
import * as Verdict from "./Verdict.ts"

/** What comes of one step of one peer. */
export interface Turn {
  readonly peer: number
  /** To whom, and which message, one after the other. */
  readonly sends: ReadonlyArray<number>
  readonly broken: Broken | null
}

/** What can happen to a peer, as a number: what it is, and in the upper bits which. */
export const Happening = { Received: 0, Started: 1, Finalize: 2, Lost: 3, Look: 4, Notification: 5, Epoch: 6 } as const

const KINDS = 8

/** A happening by number. Which: a message, the peers that cannot be reached as bits, or an epoch. */
export const code = (kind: keyof typeof Happening, which = 0): number => Happening[kind] + which * KINDS

/** The steps that were taken so far. */
export interface Turns {
  readonly peers: Interner.Interner<PeerKey.Peer>
  readonly messages: Interner.Interner<Notification>
  /** What happens to this peer leads to. */
  readonly take: (peer: number, code: number) => Turn
  /** The same, told in a line. */
  readonly tell: (peer: number, code: number) => string
  readonly size: () => number
}

/** No steps yet; `key` says which peers are the same. */
export const make = (world: World, key: (peer: PeerKey.Peer) => string, facts: Verdict.Facts): Turns => {
  const peers = Interner.make(key)
  const messages = Interner.make<Notification>((one) => `${one.from} ${one.version} ${PeerKey.messageKey(one)}`)
  // By peer, then by happening: an array is found in faster than a map of numbers beyond 31 bits.
  const taken: Array<Array<Turn | undefined>> = []
  let steps = 0
  const step = (peer: PeerKey.Peer, event: Election.Event) =>
    world.reducers.Election.step(world.nodes[peer.index]!.ensemble, peer.election, event)
  const eventOf = (peer: PeerKey.Peer, number: number): Election.Event => toEvent(world, messages, peer, number)

  const make = (number: number, what: number): Turn => {
    const peer = peers.get(number)
    const event = eventOf(peer, what)
    try {
      const [election, outputs] = step(peer, event)
      const history = historyAfter(peer, event)
      const broken = Verdict.check(world, facts, peer, event, election, outputs)
      const sends = outputs.flatMap((output) => sendOf(world, messages, peer, output))
      return { peer: peers.id({ index: peer.index, up: true, election, history }), sends, broken }
    } catch (error) {
      return { peer: number, sends: [], broken: { property: "total", detail: String(error) } }
    }
  }
  return {
    peers,
    messages,
    take: (peer, what) => {
      const row = taken[peer] ??= []
      const met = row[what]
      if (met !== undefined) return met
      const turn = make(peer, what)
      row[what] = turn
      steps++
      return turn
    },
    tell: (number, what) => {
      const peer = peers.get(number)
      const event = eventOf(peer, what)
      const line = Line.election(world, world.nodes[peer.index]!, event, step(peer, event)[1])
      // Without the time, which there is none of here, and the server.
      return line.trim().replace(/^\d+ +-?\d+ /, "")
    },
    size: () => steps
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const toEvent = (
  { nodes, scenario }: World,
  messages: Interner.Interner<Notification>,
  { history, index }: PeerKey.Peer,
  number: number
): Election.Event => {
  const which = Math.floor(number / KINDS)
  const oracle = scenario.quorum === "Oracle" && index === nodes.length - 1
  switch (number % KINDS) {
    case Happening.Received:
      return { _tag: "Received", notification: messages.get(which), oracle }
    case Happening.Finalize:
      return { _tag: "FinalizeTimeout" }
    case Happening.Lost:
      return { _tag: "LeaderLost" }
    case Happening.Notification: {
      const others = nodes.filter((node) => node.index !== index)
      const undelivered = new Set(others.filter((node) => (which >> node.index & 1) === 1).map(({ sid }) => sid))
      return { _tag: "NotificationTimeout", haveDelivered: undelivered.size < others.length, undelivered, oracle }
    }
    case Happening.Epoch:
      return { _tag: "EpochEstablished", peerEpoch: BigInt(which) }
    default:
      return { _tag: "LookForLeader", ...history, oracle }
  }
}

// Whoever learns of an epoch has it on its disk before it says so.
const historyAfter = ({ history }: PeerKey.Peer, event: Election.Event): PeerKey.History =>
  event._tag === "EpochEstablished" ? { ...history, currentEpoch: event.peerEpoch } : history

const sendOf = (
  world: World,
  messages: Interner.Interner<Notification>,
  { index }: PeerKey.Peer,
  output: Output
): ReadonlyArray<number> => {
  if (output._tag !== "Send") return []
  const to = nodeOf(world, output.toSend.to)
  return to === undefined ? [] : [to.index, messages.id(overTheWire(world, index, output.toSend))]
}

// The bytes belong to what is put to the test.
const overTheWire = ({ nodes, reducers: { NotificationCodec } }: World, index: number, toSend: ToSend): Notification =>
  Result.getOrThrow(NotificationCodec.decode(nodes[index]!.sid, NotificationCodec.encode(toSend)))
