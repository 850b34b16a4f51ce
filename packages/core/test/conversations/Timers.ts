/** Timers that fire, and ticks. */
import * as Elections from "./Elections.ts"
import * as Roles from "./Roles.ts"
import type * as World from "./World.ts"

type Lines = ReadonlyArray<string>

/** A timer fires; only one that runs can. */
export const fire = (world: World.World, peer: World.Peer, timer: string): Lines => {
  const { role, sid, timers } = peer
  if (!timers.has(timer)) throw new Error(`of server ${sid}, ${[...timers.keys()].join(" and ") || "nothing"} runs`)
  if (timer === "notification" || timer === "finalize") return Elections.timeout(world, peer, timer)
  timers.delete(timer)
  const now = { at: world.now, pledgeAt: world.now }
  return [
    `${sid} has waited for its ${timer} timer`,
    ...(role?._tag === "Learner"
      ? Roles.stepLearner(world, peer, { _tag: "TimedOut", timer: timer === "silence" ? "Silence" : "Pledge", ...now })
      : Roles.stepLeader(world, peer, { _tag: "TimedOut", timer: ofLeader[timer] ?? "Quorum", ...now }))
  ]
}

/** A tick of a leader passes, in two halves. */
export const tick = (world: World.World, peer: World.Peer): Lines => [
  `${peer.sid} has led for another tick`,
  ...Roles.stepLeader(world, peer, { _tag: "HalfTick", at: world.now }),
  ...Roles.stepLeader(world, peer, { _tag: "HalfTick", at: world.now })
]

const ofLeader: Record<string, "Quorum" | "Pledge" | "Lease"> = { quorum: "Quorum", pledge: "Pledge", lease: "Lease" }
