/**
 * One peer: the reducers of the core, put together as the shell puts them together.
 *
 * This is the seam. What is here does what the shell's `FastLeaderElection` does, `Links` what its connection manager
 * does, `Watch` what its `LeaderWatch`; `Incumbency`, `Leading` and `Following` what the modules of these names do.
 * None of them decides.
 */
import type * as Election from "@conclave/core/Election"
import type { Output, Timer } from "@conclave/core/ElectionOutput"
import type { LeaderLostReason } from "@conclave/core/Liveness"
import type { Notification } from "@conclave/core/Notification"
import type { Sid } from "@conclave/core/Sid"
import type { Moment } from "../Simulator.ts"
import * as Checker from "./Checker.ts"
import * as Incumbency from "./Incumbency.ts"
import * as Line from "./Line.ts"
import * as Links from "./Links.ts"
import * as Oracle from "./Oracle.ts"
import * as Tracer from "./Tracer.ts"
import * as Watch from "./Watch.ts"
import * as Wire from "./Wire.ts"
import { type Node, schedule, ticks, type World } from "./World.ts"

/** One step of the election, and what it leads to. Shell: FastLeaderElection.dispatch. */
export const decide = (world: World, node: Node, event: Election.Event): void => {
  const before = node.election
  const [state, outputs] = world.reducers.Election.step(node.ensemble, before, event)
  node.election = state
  world.stats.steps++
  Tracer.stepped(world, node, "election", event, outputs, node.ensemble === node.self ? undefined : stepsAside)
  if (world.log !== null) world.log(Line.election(world, node, event, outputs), Line.isTurn(outputs))
  Checker.afterStep(world, node, before, event, outputs)
  if (world.observe !== null) world.observe(momentOf(world, node, before, event, outputs))
  for (const output of outputs) perform(world, node, output)
}

const stepsAside = { electable: false }

// Here and below, what needs a closure is in a function of its own: one that makes a closure in a rare case makes room
// for what it captures in every call, and these are called for each output and each message.
const momentOf = (
  world: World,
  { ensemble, sid }: Node,
  before: Election.State,
  event: Election.Event,
  outputs: ReadonlyArray<Output>
): Moment => ({ at: world.now, sid, ensemble, before, event, outputs, states: () => statesOf(world) })

const statesOf = ({ nodes }: World): ReadonlyMap<Sid, Election.State> =>
  new Map(nodes.filter(({ up }) => up).map(({ election, sid }) => [sid, election]))

/** Looks for a leader now. Shell: FastLeaderElection.search. */
export const look = (world: World, node: Node): void => {
  Watch.end(node)
  node.tenure.stored = null
  Links.decide(world, node, { _tag: "Wanted", sids: node.election.membership.voters })
  const { currentEpoch, lastLoggedZxid } = node.disk.synced
  decide(world, node, { _tag: "LookForLeader", currentEpoch, lastLoggedZxid, oracle: Oracle.ask(world, node) })
}

/** The leader is lost: looks for another. */
export const abandon = (world: World, node: Node, reason: LeaderLostReason): void => {
  if (world.log !== null) world.log(Line.lost(world, node, reason), true)
  lookAgain(world, node)
}

/** Looks for a leader, whoever leads now, when what depended on the role has ended. Shell: FastLeaderElection.look. */
export const lookAgain = (world: World, node: Node): void => {
  Watch.end(node)
  decide(world, node, { _tag: "LeaderLost" })
  if (Incumbency.giveUp(world, node)) look(world, node)
}

const perform = (world: World, node: Node, output: Output): void => {
  switch (output._tag) {
    case "Send":
      return Links.toSend(world, node, output.toSend)
    case "ConnectAll":
      for (const { request } of node.outboxes) Links.decide(world, node, request)
      return
    case "SetTimer":
      return setTimer(world, node, output.after)
    case "CancelTimer":
      node.timerAt = Infinity
      return
    case "Elected":
      world.stats.searches++
      Links.decide(world, node, {
        _tag: "Wanted",
        sids: output.state === "LEADING" ? node.election.membership.voters : new Set([output.vote.leader])
      })
      if (node.election._tag !== "Settled") return
      Watch.begin(world, node, node.election, output.reason)
      return Incumbency.begin(world, node, node.election)
    case "Restart":
      return restartSoon(world, node)
    case "RoundStarted":
      world.stats.rounds++
      return
    default:
      return
  }
}

const restartSoon = (world: World, node: Node): void =>
  schedule(world, 0, node, () => Incumbency.restart(world, node, () => restart(world, node)))

// A new connection manager, and a new search. Shell: QuorumPeer.make, its main loop.
const restart = (world: World, node: Node): void => {
  Watch.end(node)
  for (const end of Array.from(node.ends.values())) Wire.close(world, end)
  node.outboxes.length = 0
  node.redials.clear()
  node.connections = world.reducers.Connections.empty
  node.view = { ...node.view, membership: node.election.membership }
  Tracer.connected(world, node)
  look(world, node)
}

// One thing is due for the timer at most; when its time comes it sees whether the timer has been put off.
const setTimer = (world: World, node: Node, millis: number): void => {
  node.timerAt = world.now + ticks(node, millis)
  if (node.timerDue > node.timerAt) arm(world, node)
}

const arm = (world: World, node: Node): void => {
  node.timerDue = node.timerAt
  schedule(world, node.timerAt - world.now, node, () => onTimer(world, node))
}

const onTimer = (world: World, node: Node): void => {
  if (node.timerDue > world.now) return
  node.timerDue = Infinity
  const { timerAt } = node
  if (timerAt === Infinity) return
  if (timerAt > world.now) return arm(world, node)
  node.timerAt = Infinity
  fire(world, node, node.book.timer)
}

const fire = (world: World, node: Node, timer: Timer | null): void => {
  if (timer === "Finalize") return decide(world, node, { _tag: "FinalizeTimeout" })
  const undelivered = new Set<Sid>()
  for (const { queued, sid } of node.outboxes) if (queued !== null) undelivered.add(sid)
  const haveDelivered = undelivered.size < node.outboxes.length
  decide(world, node, { _tag: "NotificationTimeout", haveDelivered, undelivered, oracle: Oracle.ask(world, node) })
}

/** A notification is handled. Shell: FastLeaderElection.onMessage. */
export const receive = (world: World, node: Node, notification: Notification): void => {
  Watch.heard(world, node, notification)
  const { membership } = node.election
  // Where the set of voters stays as it is nothing has to be kept.
  if (!world.static) node.tenure.told = world.reducers.Reconfiguration.hear(node.tenure.told, membership, notification)
  decide(world, node, { _tag: "Received", notification, oracle: Oracle.ask(world, node) })
  if (!world.static) Incumbency.keepMembership(world, node)
}
