/** The commands of a conversation among servers. */
import * as Ensemble from "../../src/Ensemble.ts"
import * as Explain from "../../src/Explain.ts"
import * as Leader from "../../src/Leader.ts"
import * as QuorumVerifier from "../../src/QuorumVerifier.ts"
import * as Zxid from "../../src/Zxid.ts"
import * as Deliveries from "./Deliveries.ts"
import * as Elections from "./Elections.ts"
import * as Roles from "./Roles.ts"
import type { Command } from "./Script.ts"
import * as Setup from "./Setup.ts"
import * as Standing from "./Standing.ts"
import * as Timers from "./Timers.ts"
import * as World from "./World.ts"

type Lines = ReadonlyArray<string>

type Run = (world: World.World, command: Command) => Lines

/** Performs commands, the first of which is `ensemble`; `Setup.world` says what it may be made of. */
export const interpreter = () => {
  let world: World.World | null = null
  return (command: Command): Lines => {
    if (command.verb === "ensemble") {
      world = Setup.world(command)
      return Standing.ensemble(world)
    }
    if (world === null) throw new Error("a conversation begins with an ensemble, as ensemble voters=1,2,3")
    const run = commands[command.verb]
    if (run === undefined) throw new Error(`no such command; there are ensemble, ${Object.keys(commands).join(", ")}`)
    const lines = run(world, command)
    return lines.length === 0 ? ["nothing happens"] : lines
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/** Of the servers that are named, one after another; of `all`, or where nobody is named, of all. */
const each = (run: (world: World.World, peer: World.Peer, command: Command) => Lines): Run => (world, command) =>
  peersOf(world, command).flatMap((peer) => run(world, peer, command))

const commands: Record<string, Run> = {
  // look 1 2: starts a server if it does not run, and makes it look for a leader
  look: each(Elections.look),
  // elect 1 2 3: they look, hear each other, and believe it; of all that, only how they stand then
  elect: (world, command) => elect(world, peersOf(world, command)),
  // timeout 1 finalize: fires a timer that runs; timeout all finalize: wherever it does
  timeout: (world, command) => {
    const timer = command.words.at(-1) ?? ""
    const peers = peersOf(world, command).filter(({ timers }) => !command.words.includes("all") || timers.has(timer))
    return peers.flatMap((peer) => Timers.fire(world, peer, timer))
  },
  // deliver 1->2 3->3: lets the next thing on that way arrive; 3->3 is the way to one's own disk
  deliver: (world, { words }) => words.flatMap((way) => Deliveries.deliver(world, way)),
  // lose 1->2: takes it away
  lose: (world, { words }) => words.map((way) => Deliveries.lose(world, way)),
  // stabilize: lets everything arrive, and all that follows from it
  stabilize: (world) => Deliveries.stabilize(world),
  // crash 3: its process is gone
  crash: each(Deliveries.crash),
  // cut 1,2 3: only those in the same group reach each other; heal: all do again
  cut: (world, { words }) => Deliveries.cut(world, words.map(Setup.sids)),
  heal: (world) => Deliveries.heal(world),
  // notice 1: looks whether its leader is there, or who it leads
  notice: each(Elections.notice),
  // logs 3 2.8: its history has grown to the eighth transaction of epoch 2
  logs: (world, { words: [sid = "", zxid = ""] }) => logs(World.peerOf(world, BigInt(sid)), Setup.zxidOf(zxid)),
  // configure 3 voters=1,2,3,4 version=2: a later configuration is on its disk; who is new in it can be started
  configure: each((world, peer, { options }) => configure(world, peer, Setup.verifier(options))),
  // lead 3: begins to lead, once elected; follow 1 2: connects with the leader
  lead: each(Roles.lead),
  follow: each(Roles.follow),
  // activate 3 1 2: the first leads, the others follow, and all is said; only how they stand then
  activate: (world, { words }) => activate(world, words.map((sid) => World.peerOf(world, BigInt(sid)))),
  // tick 3: a tick passes for a leader; later 30: all clocks show so many milliseconds more
  tick: each(Timers.tick),
  later: (world, { words: [millis = ""] }) => {
    world.now += Number(millis)
    return [`it is ${Explain.millis(world.now)}`]
  },
  // resign 3: leaves office; resign 3 2: in favour of server 2, if that can lead
  resign: (world, { words: [sid = "", to] }) =>
    resign(world, World.peerOf(world, BigInt(sid)), to === undefined ? null : BigInt(to)),
  // state: how everybody stands
  state: each((world, peer) => [Standing.describe(world, peer)])
}

const peersOf = ({ peers }: World.World, { words }: Command): ReadonlyArray<World.Peer> => {
  const named = words.filter((word) => /^\d+$/.test(word)).map(BigInt)
  return Array.from(peers.values()).filter(({ sid }) => named.includes(sid) || named.length === 0)
}

const elect = (world: World.World, peers: ReadonlyArray<World.Peer>): Lines => {
  for (const peer of peers) Elections.look(world, peer)
  Deliveries.stabilize(world)
  for (const peer of peers) if (peer.timers.has("finalize")) Timers.fire(world, peer, "finalize")
  return peers.map((peer) => Standing.describe(world, peer))
}

const activate = (world: World.World, [leader, ...learners]: ReadonlyArray<World.Peer>): Lines => {
  if (leader === undefined) throw new Error("say who leads, and who follows")
  Roles.lead(world, leader)
  for (const learner of learners) Roles.follow(world, learner)
  Deliveries.stabilize(world)
  return [leader, ...learners].map((peer) => Standing.describe(world, peer))
}

const logs = (peer: World.Peer, lastLoggedZxid: Zxid.Zxid): Lines => {
  peer.history = { ...peer.history, lastLoggedZxid }
  return [`${peer.sid} has logged up to ${Zxid.format(lastLoggedZxid)}`]
}

const configure = (world: World.World, peer: World.Peer, committed: QuorumVerifier.QuorumVerifier): Lines => {
  peer.membership = Ensemble.membership({ mySid: peer.sid, committed })
  const history = { acceptedEpoch: 0n, currentEpoch: 0n, lastLoggedZxid: 0n }
  for (const mySid of committed.servers.keys()) {
    if (world.peers.has(mySid)) continue
    world.peers.set(mySid, Setup.make(mySid, committed, { ensemble: { ...peer.ensemble, mySid }, history }))
  }
  const version = QuorumVerifier.versionText(committed)
  return [`${peer.sid} has configuration ${version} on its disk: ${QuorumVerifier.describe(committed)}`]
}

const resign = (world: World.World, peer: World.Peer, asked: bigint | null): Lines => {
  const { role } = peer
  if (role?._tag !== "Leader") throw new Error("it does not lead")
  const successor = Leader.successor(role.options, role.state, asked)
  const whom = successor === null ? "nobody can lead next" : `server ${successor} is to lead next`
  return [`${peer.sid} resigns: ${whom}`, ...Roles.stepLeader(world, peer, { _tag: "Resign", successor })]
}
