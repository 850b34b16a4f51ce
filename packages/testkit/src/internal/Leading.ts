/**
 * Leads: does what `Leader.step` decides, as the shell's `Leading` does with its `LearnerListener` and `Office`.
 */
import type * as Leader from "@conclave/core/Leader"
import type { Output, StepDownReason, Timer } from "@conclave/core/LeaderOutput"
import type { Now } from "@conclave/core/Lease"
import type { QuorumPacket } from "@conclave/core/QuorumPacket"
import type { Settled } from "@conclave/core/Election"
import type { Sid } from "@conclave/core/Sid"
import * as Disk from "./Disk.ts"
import * as Incumbency from "./Incumbency.ts"
import * as LeadershipChecks from "./LeadershipChecks.ts"
import * as LeadershipLine from "./LeadershipLine.ts"
import * as LeaseChecks from "./LeaseChecks.ts"
import * as Oracle from "./Oracle.ts"
import * as QuorumPort from "./QuorumPort.ts"
import * as Tenure from "./Tenure.ts"
import type { Leading } from "./Tenure.ts"
import * as Timers from "./Timers.ts"
import * as Tracer from "./Tracer.ts"
import * as Wire from "./Wire.ts"
import { after, type Arrival, clockOf, type End, type Node, schedule, spring, timeOf, type World } from "./World.ts"

/** Takes office, as far as an election gives one: the quorum port is open. */
export const begin = (world: World, node: Node, { membership }: Settled): void => {
  const { reducers, scenario: { lease, ticks } } = world
  const common = Tenure.begin(node)
  const options: Leader.Options = { mySid: node.sid, membership, ticks, lease, acceptForeign: false }
  const role: Leading = {
    ...common,
    _tag: "Leading",
    options,
    state: reducers.Leader.make(options, common.facts, common.pledge),
    hasty: null,
    links: new Map(),
    timers: new Map(),
    entered: false,
    workUntil: null,
    leaseUntil: -Infinity,
    leaving: false,
    tally: LeadershipChecks.nothing()
  }
  node.tenure.role = role
  Tracer.leads(world, node, role)
  step(world, node, role, { _tag: "Started" })
  halfTick(world, node, role)
}

/** Something came from a learner. */
export const onArrival = (world: World, node: Node, role: Leading, end: End, arrival: Arrival): void => {
  if (arrival === "Hello") return onConnected(world, node, role, end)
  if (role.links.get(end.id) !== end) return
  if (arrival === "End") return onDisconnected(world, node, role, end)
  if (!("type" in arrival)) return
  if (role.busy) onPacketLater(world, node, role, end, arrival)
  else onPacket(world, node, role, end, arrival)
}

/** Whom its own pledge was given to is gone. */
export const onReleased = (world: World, node: Node, role: Leading): void =>
  Tenure.handle(role, () => step(world, node, role, { _tag: "PledgeReleased", ...now(world, node) }))

/** Leaves office on purpose: guarded work ends first, and until it has we lead on. Shell: leaveOnPurpose. */
export const resign = (world: World, node: Node, role: Leading, asked: Sid | null): void => {
  if (role.leaving) return
  role.leaving = true
  endWork(world, node, role, () =>
    Tenure.handle(role, () => {
      const successor = world.reducers.Leader.successor(role.options, role.state, asked)
      step(world, node, role, { _tag: "Resign", successor })
    }))
}

/** May guarded work still act? With a lease no longer than that lasts. */
export const acts = (world: World, node: Node): boolean => {
  const { tenure: { role } } = node
  if (!node.up || role?._tag !== "Leading" || !role.entered) return false
  if (role.workUntil !== null && role.workUntil <= world.now) return false
  return role.options.lease === null || timeOf(node, role.leaseUntil - node.ahead) > world.now
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

// Shell: LeaseClock.
const now = (world: World, node: Node): Now => {
  const pledgeAt = clockOf(world, node)
  return { at: pledgeAt + node.ahead, pledgeAt }
}

const onConnected = (world: World, node: Node, role: Leading, end: End): void => {
  role.links.set(end.id, end)
  Tenure.handle(role, () => step(world, node, role, { _tag: "Connected", learner: end.id }))
}

const onDisconnected = (world: World, node: Node, role: Leading, end: End): void => {
  role.links.delete(end.id)
  Tenure.handle(role, () => step(world, node, role, { _tag: "Disconnected", learner: end.id }))
}

const onPacketLater = (world: World, node: Node, role: Leading, end: End, packet: QuorumPacket): void => {
  foresee(world, node, role, received(world, node, end, packet))
  role.inbox.push(() => onPacket(world, node, role, end, packet))
}

const onPacket = (world: World, node: Node, role: Leading, end: End, packet: QuorumPacket): void => {
  end.heardAt = role.state.halfTicks
  step(world, node, role, received(world, node, end, packet))
}

const received = (world: World, node: Node, { id }: End, packet: QuorumPacket): Leader.Event =>
  ({ _tag: "Received", learner: id, packet, at: now(world, node).at })

const halfTick = (world: World, node: Node, role: Leading): void =>
  after(world, node, role.options.ticks.tickTime / 2, () => {
    if (node.tenure.role !== role || role.state.zabState === "OVER") return
    halfTick(world, node, role)
    Tenure.handle(role, () =>
      step(world, node, role, { _tag: "HalfTick", at: now(world, node).at, oracle: Oracle.ask(world, node) }))
    if (role.entered && role.options.lease !== null) spring(world, node, world.ambushes.ping)
  })

// What the core would say if it were not made to wait for the disk, for the checks alone; nothing comes of it.
const foresee = (world: World, node: Node, role: Leading, event: Leader.Event): void => {
  const [state, outputs] = world.reducers.Leader.step(role.options, role.hasty ?? role.state, event)
  role.hasty = state
  LeadershipChecks.ofHastyLeader(world, node, outputs)
}

const step = (world: World, node: Node, role: Leading, event: Leader.Event): void => {
  if (node.tenure.role !== role) return
  const before = role.state
  const [state, outputs] = world.reducers.Leader.step(role.options, before, event)
  role.state = state
  world.stats.leaderSteps++
  Tracer.stepped(world, node, "leader", event, outputs)
  if (world.log !== null) {
    world.log(LeadershipLine.leader(world, node, event, outputs), LeadershipLine.isTurn(outputs))
  }
  LeadershipChecks.afterLeaderStep(world, node, role, before, event, outputs)
  if (world.observeLeadership !== null) {
    const { facts: history, instance, options, pledge } = role
    const moment = { at: world.now, sid: node.sid, instance, history, pledge }
    world.observeLeadership({ ...moment, reducer: "leader", options, before, event, outputs })
  }
  perform(world, node, role, outputs, 0)
}

const perform = (
  world: World,
  node: Node,
  role: Leading,
  outputs: ReadonlyArray<Output>,
  from: number
): void => {
  for (let index = from; index < outputs.length; index++) {
    const output = outputs[index]!
    if (takesTime(output)) return performSlowly(world, node, role, output, outputs, index + 1)
    performOne(world, node, role, output)
  }
}

type Slow = Output & { readonly _tag: "StoreAcceptedEpoch" | "StoreCurrentEpoch" | "SteppedDown" }
type Plain = Exclude<Output, Slow>

const takesTime = (output: Output): output is Slow =>
  output._tag === "StoreAcceptedEpoch" || output._tag === "StoreCurrentEpoch" || output._tag === "SteppedDown"

// What follows waits until it is done, and so does whatever happens meanwhile.
const performSlowly = (
  world: World,
  node: Node,
  role: Leading,
  output: Slow,
  outputs: ReadonlyArray<Output>,
  next: number
): void => {
  const goOn = () => perform(world, node, role, outputs, next)
  if (output._tag === "SteppedDown") stepDown(world, node, role, output, goOn)
  else store(world, node, role, output, goOn)
}

const onTimer = (world: World, node: Node, role: Leading, timer: Timer): void =>
  Tenure.handle(role, () => step(world, node, role, { _tag: "TimedOut", timer, ...now(world, node) }))

const performOne = (world: World, node: Node, role: Leading, output: Plain): void => {
  switch (output._tag) {
    case "Send": {
      const end = role.links.get(output.learner)
      if (end === undefined) return
      const { packet: { type } } = output
      // What is to be answered gives it time.
      if (type !== "PING") end.heardAt = role.state.halfTicks
      if (type === "UPTODATE") end.synced = true
      return QuorumPort.send(world, end, output.packet)
    }
    case "Close": {
      const end = role.links.get(output.learner)
      role.links.delete(output.learner)
      return end === undefined ? undefined : Wire.close(world, end)
    }
    case "SetTimer":
      return Timers.set(world, node, role, output.timer, output.after, onTimer)
    case "CancelTimer":
      return Timers.cancel(role.timers, output.timer)
    case "Activated":
      if (role.options.lease === null) enter(world, node, role)
      return Incumbency.onActivated(world, node, role, output.epoch)
    case "LeaseExtended":
      role.leaseUntil = output.until
      return enter(world, node, role)
    default:
      return
  }
}

// Guarded work begins once, unless office is being left already.
const enter = (world: World, node: Node, role: Leading): void => {
  if (!role.leaving && role.workUntil === null) role.entered = true
  LeaseChecks.onActing(world, node, role)
}

type Store = Exclude<Slow, { readonly _tag: "SteppedDown" }>

const store = (world: World, node: Node, role: Leading, { _tag, epoch }: Store, goOn: () => void): void => {
  role.busy = true
  const change = _tag === "StoreAcceptedEpoch" ? { acceptedEpoch: epoch } : { currentEpoch: epoch }
  Disk.write(world, node, change, (isStored) => {
    if (node.tenure.role !== role) return
    role.busy = false
    role.hasty = null
    step(world, node, role, isStored ? stored(world, node, _tag) : { _tag: "StoreFailed" })
    goOn()
    if (!role.busy) Tenure.resume(role)
  })
}

const stored = (world: World, node: Node, tag: Store["_tag"]): Leader.Event =>
  tag === "StoreAcceptedEpoch"
    ? { _tag: "AcceptedEpochStored" }
    : { _tag: "CurrentEpochStored", ...now(world, node) }

/** How long guarded work takes to end without a lease, at most. In milliseconds. */
const WORK_MAX = 300

// Goes on when guarded work has ended: within the grace, if there is a lease.
const endWork = (world: World, node: Node, role: Leading, goOn: () => void): void => {
  const { lease } = role.options
  if (!role.entered) return goOn()
  const longest = lease === null ? WORK_MAX : Math.floor(timeOf(node, lease.grace))
  role.workUntil ??= world.now + world.random.below(longest)
  schedule(world, Math.max(0, role.workUntil - world.now), node, goOn)
}

const stepDown = (
  world: World,
  node: Node,
  role: Leading,
  { reason, successor }: Output & { readonly _tag: "SteppedDown" },
  goOn: () => void
): void => {
  role.busy = true
  Timers.clear(role.timers)
  endWork(world, node, role, () => {
    goOn()
    over(world, node, role, reason, successor)
  })
}

// Whoever has connected, and is not known yet, is left alone too.
const over = (world: World, node: Node, role: Leading, reason: StepDownReason, successor: Sid | null): void => {
  for (const end of Array.from(node.ends.values())) {
    if (end.port === "Quorum" && !end.dialed) Wire.close(world, end)
  }
  schedule(world, 0, node, () => Incumbency.onEnded(world, node, role, { reason, successor }))
}
