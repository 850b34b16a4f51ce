/**
 * Peers and the network between them, with a clock that only moves when nothing
 * else can. Messages take time, overtake each other, get lost and come twice;
 * links break and peers restart, as long as the faults last.
 *
 * The election alone promises no agreement under loss. As in ZooKeeper, who
 * follows somebody that does not lead looks again after a while, and so does who
 * leads without a quorum that follows.
 */
import * as Result from "effect/Result"
import * as Election from "../../src/Election.ts"
import type { Output } from "../../src/ElectionOutput.ts"
import type * as Ensemble from "../../src/Ensemble.ts"
import * as NotificationCodec from "../../src/NotificationCodec.ts"
import * as VoteTracker from "../../src/VoteTracker.ts"
import type { Random } from "./Random.ts"

/** A peer as it starts, and starts again. */
export interface Member {
  readonly ensemble: Ensemble.Ensemble
  readonly membership: Ensemble.Membership
  readonly lastLoggedZxid: bigint
  readonly currentEpoch: bigint
}

/** What the network may do while the faults last. */
export interface Faults {
  /** Until this time, in milliseconds. */
  readonly until: number
  /** Per hundred messages. */
  readonly loss: number
  readonly duplication: number
  /** Per hundred peers and half seconds. */
  readonly restart: number
  /** Is this link broken now? */
  readonly broken: (from: bigint, to: bigint, now: number) => boolean
}

/** No faults at all. */
export const lossless: Faults = { until: 0, loss: 0, duplication: 0, restart: 0, broken: () => false }

const LATENCY_MAX = 50
const CHECK_INTERVAL = 500
const PATIENCE = 1000

/** More steps than any election takes: who passes this talks to itself without end. */
const STEPS_MAX = 100_000

/** A network of peers that all begin to look at time 0. */
export const make = (
  random: Random,
  members: ReadonlyArray<Member>,
  faults: Faults,
  onOutput: (member: Member, output: Output) => void = () => {}
) => {
  interface Node extends Member {
    state: Election.State
    /** Counts what was started anew, so that an older timer is known as such. */
    generation: number
    /** Since when it has had no leader or no followers. */
    unserved: number | null
  }
  const nodes = new Map<bigint, Node>()
  const due: Array<{ readonly at: number; readonly run: () => void }> = []
  let now = 0
  let steps = 0

  const schedule = (delay: number, run: () => void): void => {
    const at = now + delay
    // Behind everything that is due at the same time.
    let place = due.length
    while (place > 0 && due[place - 1]!.at > at) place--
    due.splice(place, 0, { at, run })
  }

  const step = (node: Node, event: Election.Event): void => {
    const [state, outputs] = Election.step(node.ensemble, node.state, event)
    if (++steps > STEPS_MAX) throw new Error(`no rest after ${STEPS_MAX} steps, at ${now} ms`)
    node.state = state
    for (const output of outputs) {
      onOutput(node, output)
      perform(node, output)
    }
  }

  const perform = (node: Node, output: Output): void => {
    if (output._tag === "Send") send(node, output.toSend.to, NotificationCodec.encode(output.toSend))
    else if (output._tag === "CancelTimer") node.generation++
    else if (output._tag === "SetTimer") {
      const generation = ++node.generation
      schedule(output.after, () => {
        if (generation !== node.generation) return
        if (output.timer === "Finalize") step(node, { _tag: "FinalizeTimeout" })
        else step(node, { _tag: "NotificationTimeout", haveDelivered: true, undelivered: new Set() })
      })
    }
  }

  const connected = (a: bigint, b: bigint) => now >= faults.until || !faults.broken(a, b, now)

  const send = (node: Node, to: bigint, bytes: Uint8Array): void => {
    const from = node.ensemble.mySid
    const deliver = () => {
      const target = nodes.get(to)
      const notification = Result.getOrThrow(NotificationCodec.decode(from, bytes))
      if (target !== undefined) step(target, { _tag: "Received", notification })
    }
    if (from === to) return schedule(0, deliver)
    const faulty = now < faults.until
    if (!connected(from, to) || (faulty && random.percent(faults.loss))) return
    schedule(1 + random.below(LATENCY_MAX), deliver)
    if (faulty && random.percent(faults.duplication)) schedule(1 + random.below(10 * LATENCY_MAX), deliver)
  }

  const look = (node: Node): void => {
    node.unserved = null
    step(node, { _tag: "LookForLeader", lastLoggedZxid: node.lastLoggedZxid, currentEpoch: node.currentEpoch })
  }

  const follows = (node: Node, leader: bigint) =>
    node.state._tag === "Settled" && node.state.state === "FOLLOWING" && node.state.currentVote.leader === leader

  const leads = (node: Node | undefined) => node?.state._tag === "Settled" && node.state.state === "LEADING"

  const served = (node: Node): boolean => {
    if (node.state._tag !== "Settled") return true
    const { mySid } = node.ensemble
    const { leader } = node.state.currentVote
    if (leader !== mySid) return leads(nodes.get(leader)) && connected(mySid, leader)
    const followers = Array.from(nodes.values()).filter((other) => follows(other, mySid))
    const present = followers.map(({ ensemble }) => ensemble.mySid).filter((sid) => connected(mySid, sid))
    return VoteTracker.hasAllQuorums(node.membership, new Set([mySid, ...present]), false)
  }

  // Syncing and pinging, as far as they matter to an election.
  const check = (node: Node): void => {
    schedule(CHECK_INTERVAL, () => check(node))
    if (now < faults.until && random.percent(faults.restart)) {
      node.generation++
      node.state = Election.make(node.ensemble, node.membership, node)
      look(node)
    } else if (served(node)) node.unserved = null
    else if (node.unserved === null) node.unserved = now
    else if (now - node.unserved >= PATIENCE) {
      step(node, { _tag: "LeaderLost" })
      look(node)
    }
  }

  for (const member of members) {
    const { ensemble, membership } = member
    nodes.set(ensemble.mySid, {
      ...member,
      state: Election.make(ensemble, membership, member),
      generation: 0,
      unserved: null
    })
  }
  for (const node of nodes.values()) {
    schedule(0, () => look(node))
    schedule(random.below(CHECK_INTERVAL), () => check(node))
  }

  return {
    /** Lets time pass. */
    run: (milliseconds: number): void => {
      const end = now + milliseconds
      while (due.length > 0 && due[0]!.at <= end) {
        const next = due.shift()!
        now = next.at
        next.run()
      }
      now = end
    },
    now: () => now,
    steps: () => steps,
    states: (): ReadonlyArray<Election.State> => Array.from(nodes.values(), ({ state }) => state),
    /** The leader that all have, if they all have one and it knows. */
    agreed: (): bigint | null => {
      const [leader, ...others] = new Set(Array.from(nodes.values(), ({ state }) =>
        state._tag === "Settled" ? state.currentVote.leader : null))
      return leader === undefined || leader === null || others.length > 0 || !leads(nodes.get(leader)) ? null : leader
    }
  }
}
