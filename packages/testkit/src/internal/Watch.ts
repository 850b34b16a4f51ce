/**
 * Whether there is still a leader, as the shell's `LeaderWatch` keeps watch; what it means is decided by `Liveness` and
 * `Confirmation` of the core.
 */
import type * as Election from "@conclave/core/Election"
import type { ElectedReason } from "@conclave/core/ElectionOutput"
import type { LeaderLostReason } from "@conclave/core/Liveness"
import type { Notification } from "@conclave/core/Notification"
import type { Sid } from "@conclave/core/Sid"
import * as Links from "./Links.ts"
import * as Node from "./Node.ts"
import * as Oracle from "./Oracle.ts"
import { type Node as Peer, type Watch as State, type World, after } from "./World.ts"

// Shell: LeaderWatch, QUESTIONS, OBSERVER_PERIOD, ASTRAY_WINDOW; QuorumConfig, cnxTimeout.
const QUESTIONS = 4
const OBSERVER_PERIOD = 10_000
const ASTRAY_WINDOW = 1_000
const RECOVERY = 5_000

/** Nothing is watched yet. */
export const make = (): State => ({
  recovering: new Set(),
  astray: new Set(),
  confirmation: null,
  stopped: false,
  timers: new Map(),
  started: 0
})

/** Watches over nobody. */
export const end = ({ watch }: Peer): void => {
  watch.recovering.clear()
  watch.astray.clear()
  watch.confirmation = null
  watch.timers.clear()
}

/** Watches over the leader that was just elected; who decides as the original does relies on what follows instead. */
export const begin = (world: World, node: Peer, settled: Election.Settled, reason: ElectedReason): void => {
  node.watch.stopped = isOriginal(node)
  if (node.watch.stopped) return
  const { leader } = settled.currentVote
  if (settled.state !== "LEADING" && !node.connections.links.has(leader)) recover(world, node, leader)
  if (reason._tag === "Quorum") inquire(world, node, settled)
  else if (isUntold(node, settled)) inquireLater(world, node)
}

/** Watches no more: a quorum has activated the leader, and what follows the election tells. */
export const stop = (node: Peer): void => {
  end(node)
  node.watch.stopped = true
}

/** A link came up, went down, or could not be made. */
export const linkChanged = (world: World, node: Peer, change: "Up" | "Down" | "DialFailed", sid: Sid): void => {
  if (node.election._tag !== "Settled" || node.watch.stopped) return
  if (change === "Down") return recover(world, node, sid)
  node.watch.recovering.delete(sid)
  if (change === "DialFailed") check(world, node, node.election)
}

/** Something was heard. */
export const heard = (world: World, node: Peer, notification: Notification): void => {
  const { election: settled, watch } = node
  if (settled._tag !== "Settled" || watch.stopped) return
  const { Confirmation, Liveness } = world.reducers
  const { from } = notification
  if (Liveness.hasLeft(settled, notification)) {
    if (from === settled.currentVote.leader) return Node.abandon(world, node, "LeaderLooking")
    stray(world, node, from)
    return check(world, node, settled)
  }
  if (watch.confirmation === null) return
  watch.confirmation = Confirmation.hear(watch.confirmation, settled, notification)
  switch (verdict(world, node, settled)) {
    case "Open":
      return
    case "Denied":
      return Node.abandon(world, node, "ElectionDenied")
    case "Confirmed":
      watch.confirmation = null
      if (isUntold(node, settled)) inquireLater(world, node)
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const stray = (world: World, node: Peer, sid: Sid): void => {
  const { astray } = node.watch
  astray.add(sid)
  start(world, node, `back ${sid}`, ASTRAY_WINDOW, () => astray.delete(sid))
}

// Who looks tells voters only.
const isUntold = ({ sid }: Peer, { membership, state }: Election.Settled): boolean =>
  state === "OBSERVING" || !membership.voters.has(sid)

const isOriginal = ({ member }: Peer): boolean => member.rules === "zookeeper"

const verdict = (world: World, node: Peer, settled: Election.Settled) => {
  const { Confirmation } = world.reducers
  const answers = node.watch.confirmation ?? Confirmation.unasked
  return Confirmation.verdict(node.sid, answers, settled, Oracle.ask(world, node))
}

const inquire = (world: World, node: Peer, settled: Election.Settled): void => {
  const { watch } = node
  if (verdict(world, node, settled) === "Confirmed") return
  watch.confirmation = world.reducers.Confirmation.unasked
  askLater(world, node, 0)
  start(world, node, "asked enough", RECOVERY, () => {
    if (watch.confirmation !== null) Node.abandon(world, node, "ElectionUnconfirmed")
  })
}

// Each after twice as long as the one before; who has been confirmed asks no more.
const askLater = (world: World, node: Peer, question: number): void =>
  start(world, node, "ask", node.ensemble.timing.finalizeWait * 2 ** question, () => {
    const { election: settled, watch: { confirmation } } = node
    if (settled._tag !== "Settled" || confirmation === null) return
    for (const toSend of world.reducers.Confirmation.questions(node.sid, confirmation, settled)) {
      Links.toSend(world, node, toSend)
    }
    if (question + 1 < QUESTIONS) askLater(world, node, question + 1)
  })

const inquireLater = (world: World, node: Peer): void =>
  start(world, node, "inquire", OBSERVER_PERIOD, () => {
    if (node.election._tag === "Settled") inquire(world, node, node.election)
  })

const recover = (world: World, node: Peer, sid: Sid): void => {
  const { watch } = node
  if (watch.recovering.size === 0) {
    start(world, node, "recovery", RECOVERY, () => {
      watch.recovering.clear()
      if (node.election._tag === "Settled") check(world, node, node.election)
    })
  }
  watch.recovering.add(sid)
}

const check = (world: World, node: Peer, settled: Election.Settled): void => {
  const { connections: { links }, watch: { astray, recovering } } = node
  const present = new Set([...links.keys(), ...recovering].filter((sid) => !astray.has(sid)))
  const lost: LeaderLostReason | null = world.reducers.Liveness.check(
    node.sid,
    settled,
    present,
    Oracle.ask(world, node)
  )
  if (lost !== null) Node.abandon(world, node, lost)
}

// As a FiberMap: a later timer takes the place of an earlier one of the same name.
const start = (world: World, node: Peer, name: string, millis: number, run: () => void): void => {
  const { watch } = node
  const number = ++watch.started
  watch.timers.set(name, number)
  after(world, node, millis, () => {
    if (watch.timers.get(name) === number) run()
  })
}
