/**
 * Follows, or observes: does what `Learner.step` decides, as the shell's `Following` does.
 */
import type { Settled } from "@conclave/core/Election"
import type * as Learner from "@conclave/core/Learner"
import type { Output, Timer } from "@conclave/core/LearnerOutput"
import type { QuorumPacket } from "@conclave/core/QuorumPacket"
import * as Result from "effect/Result"
import * as Disk from "./Disk.ts"
import * as Incumbency from "./Incumbency.ts"
import * as LeadershipChecks from "./LeadershipChecks.ts"
import * as LeadershipLine from "./LeadershipLine.ts"
import * as QuorumPort from "./QuorumPort.ts"
import type { Following } from "./Tenure.ts"
import * as Tenure from "./Tenure.ts"
import * as Timers from "./Timers.ts"
import * as Tracer from "./Tracer.ts"
import * as Wire from "./Wire.ts"
import { after, type Arrival, clockOf, type Node, nodeOf, schedule, type World } from "./World.ts"

/** For how long a leader that refuses is dialled, and the pauses between. Shell: Following, DIAL_TIME, DIAL_PAUSE. */
const DIAL_TIME = 1_000
const DIAL_PAUSE_MIN = 5
const DIAL_PAUSE_MAX = 100

/** Dials the leader that was elected. */
export const begin = (world: World, node: Node, { currentVote: { leader }, membership }: Settled): void => {
  const { reducers, scenario: { lease, ticks } } = world
  const common = Tenure.begin(node)
  const role: Following = {
    ...common,
    _tag: "Following",
    options: { mySid: node.sid, leader, membership, ticks, lease },
    state: reducers.Learner.make(common.facts, common.pledge),
    end: null,
    timers: new Map(),
    told: -1n
  }
  node.tenure.role = role
  Tracer.learns(world, node, role)
  dial(world, node, role, clockOf(world, node), DIAL_PAUSE_MIN)
}

/** Something came from the leader. */
export const onArrival = (world: World, node: Node, role: Following, arrival: Arrival): void => {
  if (arrival === "End") return tell(world, node, role, () => ({ _tag: "Disconnected" }))
  if (typeof arrival === "string" || !("type" in arrival)) return
  if (role.busy) onPacketLater(world, node, role, arrival)
  else onPacket(world, node, role, arrival)
}

/** Whom the pledge was given to is gone. */
export const onReleased = (world: World, node: Node, role: Following): void =>
  tell(world, node, role, () => ({ _tag: "PledgeReleased", at: clockOf(world, node) }))

/** Just goes; but what is being written is not left half-way, and the next role finds it. Shell: FileHistory. */
export const end = (world: World, { tenure }: Node, role: Following, goOn: () => void): void => {
  tenure.role = null
  Timers.clear(role.timers)
  if (role.end !== null) Wire.close(world, role.end)
  role.inbox.length = 0
  Tenure.handle(role, goOn)
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const listens = ({ tenure: { role } }: Node): boolean => role?._tag === "Leading" && role.state.zabState !== "OVER"

const dial = (world: World, node: Node, role: Following, since: number, pause: number): void => {
  const { leader, membership: { committed }, ticks: { initLimit, tickTime } } = role.options
  const to = nodeOf(world, leader)
  if (to === undefined || !committed.servers.has(leader)) return tell(world, node, role, () => ({ _tag: "NotReached" }))
  Wire.dial(world, node, to, { port: "Quorum", timeout: initLimit * tickTime, listens }, (result) => {
    if (node.tenure.role !== role) return typeof result === "string" ? undefined : Wire.close(world, result)
    if (typeof result !== "string") {
      role.end = result
      return tell(world, node, role, () => ({ _tag: "Connected" }))
    }
    const isOver = result !== "Refused" || clockOf(world, node) + pause - since > DIAL_TIME
    if (isOver) return tell(world, node, role, () => ({ _tag: "NotReached" }))
    after(world, node, pause, () => {
      if (node.tenure.role === role) dial(world, node, role, since, Math.min(2 * pause, DIAL_PAUSE_MAX))
    })
  })
}

const tell = (world: World, node: Node, role: Following, event: () => Learner.Event): void =>
  Tenure.handle(role, () => step(world, node, role, event()))

const onPacketLater = (world: World, node: Node, role: Following, packet: QuorumPacket): void => {
  role.inbox.push(() => onPacket(world, node, role, packet))
}

const onPacket = (world: World, node: Node, role: Following, packet: QuorumPacket): void =>
  step(world, node, role, {
    _tag: "Received",
    packet,
    at: clockOf(world, node),
    lastLoggedZxid: node.disk.synced.lastLoggedZxid
  })

const step = (world: World, node: Node, role: Following, event: Learner.Event): void => {
  if (node.tenure.role !== role) return
  const before = role.state
  const [state, outputs] = world.reducers.Learner.step(role.options, before, event)
  role.state = state
  world.stats.leaderSteps++
  Tracer.stepped(world, node, "learner", event, outputs)
  if (world.log !== null) world.log(LeadershipLine.learner(world, node, event, outputs), false)
  LeadershipChecks.afterLearnerStep(world, node, role, event, outputs)
  if (world.observeLeadership !== null) {
    const { facts: history, instance, options, pledge } = role
    const moment = { at: world.now, sid: node.sid, instance, history, pledge }
    world.observeLeadership({ ...moment, reducer: "learner", options, before, event, outputs })
  }
  perform(world, node, role, outputs, 0)
}

const perform = (
  world: World,
  node: Node,
  role: Following,
  outputs: ReadonlyArray<Output>,
  from: number
): void => {
  for (let index = from; index < outputs.length; index++) {
    const output = outputs[index]!
    if (takesTime(output)) return storeFirst(world, node, role, output, outputs, index + 1)
    performOne(world, node, role, output)
  }
}

type Slow = Output & { readonly _tag: "StoreAcceptedEpoch" | "StoreCurrentEpoch" }
type Plain = Exclude<Output, Slow>

const takesTime = (output: Output): output is Slow =>
  output._tag === "StoreAcceptedEpoch" || output._tag === "StoreCurrentEpoch"

const onTimer = (world: World, node: Node, role: Following, timer: Timer): void =>
  tell(world, node, role, () => ({ _tag: "TimedOut", timer, at: clockOf(world, node) }))

const follows = (world: World, node: Node, role: Following, epoch: bigint): void =>
  schedule(world, 0, node, () => Incumbency.onFollowing(world, node, role, epoch))

const left = (world: World, node: Node, role: Following, ended: Tenure.Ended): void => {
  Timers.clear(role.timers)
  if (role.end !== null) Wire.close(world, role.end)
  schedule(world, 0, node, () => Incumbency.onEnded(world, node, role, ended))
}

const performOne = (world: World, node: Node, role: Following, output: Plain): void => {
  switch (output._tag) {
    case "Send":
      return role.end === null ? undefined : QuorumPort.send(world, role.end, output.packet)
    case "SetTimer":
      return Timers.set(world, node, role, output.timer, output.after, onTimer)
    case "CancelTimer":
      return Timers.cancel(role.timers, output.timer)
    case "ConfigSeen":
      return onConfig(world, node, output.text)
    case "Following":
      return follows(world, node, role, output.epoch)
    case "Pledged":
      node.tenure.pledge = output.pledge
      return
    case "Left":
      return left(world, node, role, output)
    case "ConfigChanged":
    case "Ignored":
      return
  }
}

// One that is pending is kept before it is acknowledged. Shell: Following, keepConfig.
const onConfig = (world: World, node: Node, text: string): void => {
  const { DynamicConfig, Ensemble } = world.reducers
  const { ensemble: { multiAddress, reconfigEnabled, standaloneEnabled }, tenure } = node
  tenure.config = text
  if (!reconfigEnabled || text === node.membership.committed.text) return
  const parsed = DynamicConfig.parse(text, { standaloneEnabled, multiAddress })
  if (Result.isSuccess(parsed)) node.membership = Ensemble.see(node.membership, node.sid, parsed.success)
}

// What follows waits until it is stored, and so does whatever happens meanwhile.
const storeFirst = (
  world: World,
  node: Node,
  role: Following,
  { _tag, epoch }: Slow,
  outputs: ReadonlyArray<Output>,
  next: number
): void => {
  role.busy = true
  const change = _tag === "StoreAcceptedEpoch" ? { acceptedEpoch: epoch } : { currentEpoch: epoch }
  Disk.write(world, node, change, (isStored) => {
    if (node.tenure.role !== role) return Tenure.resume(role)
    role.busy = false
    step(world, node, role, isStored ? stored(world, node, _tag) : { _tag: "StoreFailed" })
    perform(world, node, role, outputs, next)
    if (!role.busy) Tenure.resume(role)
  })
}

const stored = (world: World, node: Node, tag: Slow["_tag"]): Learner.Event =>
  tag === "StoreAcceptedEpoch"
    ? { _tag: "AcceptedEpochStored" }
    : { _tag: "CurrentEpochStored", at: clockOf(world, node) }
