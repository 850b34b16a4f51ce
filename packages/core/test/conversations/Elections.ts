/** What happens to the election of a peer, and what it does then. */
import * as Election from "../../src/Election.ts"
import type { Output } from "../../src/ElectionOutput.ts"
import * as Explain from "../../src/Explain.ts"
import * as Liveness from "../../src/Liveness.ts"
import type { Notification } from "../../src/Notification.ts"
import { freeze } from "../support/freeze.ts"
import * as Words from "./Words.ts"
import * as World from "./World.ts"

type Lines = ReadonlyArray<string>

/** Looks for a leader. */
export const look = (world: World.World, peer: World.Peer): Lines => {
  if (!peer.up) World.boot(world, peer)
  const { currentEpoch, lastLoggedZxid } = peer.history
  const event = { _tag: "LookForLeader", currentEpoch, lastLoggedZxid } as const
  return [`${peer.sid} looks for a leader`, ...step(world, peer, event)]
}

/** Hears a notification. */
export const hear = (world: World.World, peer: World.Peer, notification: Notification): Lines => [
  `${peer.sid} hears ${notification.from}: ${Words.message(notification)}`,
  ...step(world, peer, { _tag: "Received", notification })
]

/** The timer of the election fires. */
export const timeout = (world: World.World, peer: World.Peer, timer: "notification" | "finalize"): Lines => {
  if (timer === "finalize") {
    return [`${peer.sid} has heard of nothing better`, ...step(world, peer, { _tag: "FinalizeTimeout" })]
  }
  const others = Array.from(peer.election.membership.voters).filter((sid) => sid !== peer.sid)
  const undelivered = new Set(others.filter((sid) => !World.reaches(world, peer.sid, sid)))
  const haveDelivered = undelivered.size < others.length
  const event: Election.Event = { _tag: "NotificationTimeout", haveDelivered, undelivered }
  return [`${peer.sid} has heard nothing for a while`, ...step(world, peer, event)]
}

/** Looks whether its leader, or those it leads, are still there. */
export const notice = (world: World.World, peer: World.Peer): Lines => {
  const present = new Set(Array.from(world.peers.keys()).filter((sid) => World.reaches(world, peer.sid, sid)))
  const reason = Liveness.check(peer.sid, peer.election, present)
  if (reason === null) return [`${peer.sid} has no reason to give its leader up`]
  const { leader } = peer.election.currentVote
  return [
    `${peer.sid} gives its leader up: ${Explain.leaderLost(leader, reason)}`,
    ...step(world, peer, { _tag: "LeaderLost" })
  ]
}

/** One step of the election and what follows from it at once: it hears itself, and begins anew where it has to. */
export const step = (world: World.World, peer: World.Peer, event: Election.Event): Lines => {
  const [next, outputs] = Election.step(peer.ensemble, freeze(peer.election), event)
  peer.election = next
  peer.membership = next.membership
  const lines = outputs.flatMap((output) => (output._tag === "Send" ? [] : said(peer, output)))
  const own = outputs.flatMap((output) => (output._tag === "Send" && output.toSend.to === peer.sid ? [output] : []))
  return [
    ...lines,
    ...sends(world, peer, outputs),
    ...own.flatMap(({ toSend }) => hearItself(world, peer, notificationOf(peer.sid, toSend))),
    ...(outputs.some(({ _tag }) => _tag === "Restart") ? restart(world, peer) : [])
  ]
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

type Send = Output & { readonly _tag: "Send" }

const said = (peer: World.Peer, output: Exclude<Output, Send>): Lines => {
  if (output._tag === "CancelTimer" || output._tag === "Elected") stopTimer(peer)
  if (output._tag === "SetTimer" && !startTimer(peer, output)) return []
  const line = Words.decision(peer.sid, output)
  return line === null ? [] : [`  ${line}`]
}

// With connections of its own, for members may be elsewhere now.
const restart = (world: World.World, peer: World.Peer): Lines => {
  World.connectAnew(world, peer)
  return look(world, peer)
}

const stopTimer = ({ timers }: World.Peer): void => {
  timers.delete("notification")
  timers.delete("finalize")
}

// Is that news? The wait for votes is started again with every vote.
const startTimer = (peer: World.Peer, { after, timer }: Output & { readonly _tag: "SetTimer" }): boolean => {
  const name = timer === "Finalize" ? "finalize" : "notification"
  const isSame = peer.timers.get(name) === after
  stopTimer(peer)
  peer.timers.set(name, after)
  return !isSame || timer === "Finalize"
}

// The same to several is one line. Nobody is told what everybody tells itself.
const sends = (world: World.World, { sid }: World.Peer, outputs: ReadonlyArray<Output>): Lines => {
  const said = new Map<string, { readonly send: Send; readonly to: Array<bigint>; readonly lost: Array<bigint> }>()
  for (const output of outputs) {
    if (output._tag !== "Send" || output.toSend.to === sid) continue
    const { to } = output.toSend
    const key = `${output.cause} ${Words.message(output.toSend)}`
    const entry = said.get(key) ?? { send: output, to: [], lost: [] }
    said.set(key, entry)
    entry.to.push(to)
    const notification = notificationOf(sid, output.toSend)
    if (!World.send(world, { _tag: "Notification", from: sid, to, notification })) entry.lost.push(to)
  }
  return Array.from(said.values(), ({ lost, send: { cause, toSend }, to }) =>
    `  ${Words.sends(cause, to, toSend)}${lost.length === 0 ? "" : `; ${Explain.sids(lost)} cannot be reached`}`)
}

// What it says to itself arrives at once, and is told where it is of consequence.
const hearItself = (world: World.World, peer: World.Peer, notification: Notification): Lines => {
  const before = peer.election
  const lines = step(world, peer, { _tag: "Received", notification })
  return peer.election._tag !== before._tag || isFinalizing(peer.election) !== isFinalizing(before)
    ? lines.filter((line) => !line.startsWith("  counts the vote"))
    : []
}

const isFinalizing = (state: Election.State): boolean => state._tag === "Looking" && state.finalizing

const notificationOf = (from: bigint, said: Send["toSend"]): Notification => {
  const { config, electionEpoch, leader, peerEpoch, state, zxid } = said
  return { from, version: 2, state, leader, zxid, electionEpoch, peerEpoch, config }
}
