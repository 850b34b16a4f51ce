/**
 * Elections to be explored: every course that an election of a few peers can take within bounds, by the reducers that
 * are shipped.
 *
 * What is explored, what is left out and why that changes nothing, and what is checked: `EXPLORER.md`.
 *
 * Spec: FastLeaderElection.tla; its actions are named at the moves.
 */
import type { Proposal } from "@conclave/core/Vote"
import type { Broken, Model } from "./Explorer.ts"
import * as Genesis from "./internal/Genesis.ts"
import * as Judge from "./internal/Judge.ts"
import * as Bounds from "./internal/explorer/election/Bounds.ts"
import * as Channels from "./internal/explorer/election/Channels.ts"
import * as Moment from "./internal/explorer/election/Moment.ts"
import * as Moves from "./internal/explorer/election/Moves.ts"
import * as Network from "./internal/explorer/election/Network.ts"
import * as PeerKey from "./internal/explorer/election/PeerKey.ts"
import * as Progress from "./internal/explorer/election/Progress.ts"
import * as Tale from "./internal/explorer/election/Tale.ts"
import * as Turns from "./internal/explorer/election/Turns.ts"
import { nodeOf, type World } from "./internal/World.ts"
import * as Reducers from "./Reducers.ts"
import type { Member, Scenario } from "./Scenario.ts"

/** A peer: its id, and what of it is not as usual. Ids, zxids and epochs are small, so that they are numbers here. */
export interface Peer extends Partial<Omit<Member, "clock" | "starts">> {
  readonly sid: number
}

/** How much may happen. What is not named does not happen at all. */
export interface Limits extends Partial<Bounds.Allowance> {
  /** The last round that anybody begins by giving its leader up. */
  readonly rounds: number
  /**
   * How many messages are on their way from one to another at most; a newer one takes the place of the last. 1 unless
   * told, as where what waits is always replaced before it is sent. Java: SEND_CAPACITY.
   */
  readonly capacity?: number
}

/** A message that is on its way in the beginning, whoever sent it. */
export interface Rumour {
  readonly from: number
  readonly to: number
  readonly vote: Proposal
  readonly round: bigint
}

/** What is explored. */
export interface Options {
  readonly peers: ReadonlyArray<Peer>
  readonly bounds: Limits
  /** By which rules everybody decides who has none of its own; `conclave` unless told. */
  readonly rules?: Member["rules"]
  readonly quorum?: Scenario["quorum"]
  /** Who votes in a configuration that is not committed yet. */
  readonly pending?: ReadonlyArray<number>
  /** Who may be killed; everybody unless told. */
  readonly mortal?: ReadonlyArray<number>
  /** Who may give its leader up; everybody unless told. */
  readonly restless?: ReadonlyArray<number>
  /** Does who gives its leader up look again at once, or may what depends on it take a while to end? */
  readonly leaves?: "AtOnce" | "Slowly"
  /** `Patient`: timers fire only when nothing is on its way, as if the network were fast. `Any` unless told. */
  readonly timers?: "Any" | "Patient"
  /** `Separately`: each starts at any time, or never. `Together` unless told. */
  readonly starts?: "Together" | "Separately"
  /** The round that everybody has been in before; 0 unless told. */
  readonly round?: bigint
  readonly rumours?: ReadonlyArray<Rumour>
  /** What must not be, besides what never must: for claims that are to be refuted. */
  readonly claim?: (after: Scene, before: Scene) => Broken | null
  /** What to put to the test; the core as shipped by default. */
  readonly reducers?: Reducers.Reducers
  /** When our own messages reach us: before anything else does, unless told. The shell has them in one queue. */
  readonly loopback?: "AtOnce" | "AnyTime"
  /** Is what changes nothing for anybody done at once? Yes, unless told; to see that it changes nothing. */
  readonly reduces?: boolean
  /** Where is looked whether a leader is found in the end: where nothing is on its way, unless told; or everywhere. */
  readonly asks?: "Quiet" | "All"
  /** Keep apart what differs only in what decides nothing; to see that it decides nothing. */
  readonly everything?: boolean
}

/** All peers at a moment, for claims; what decides nothing is that of the first moment that was alike. */
export type Scene = ReadonlyArray<PeerKey.Peer>

/** What is explored, and how much there was to compute. */
export interface ElectionModel extends Model {
  /** Different states of peers, messages, contents of channels, and steps of reducers that were taken. */
  readonly counts: () => Counts
}

/** How many parts the states have. */
export interface Counts {
  readonly peers: number
  readonly messages: number
  readonly channels: number
  readonly steps: number
  /** Quiet states that were followed until all had a leader. */
  readonly followed: number
}

/** As much as it will. */
export const UNBOUNDED = Bounds.UNBOUNDED

/** A model of these peers within these bounds. */
export const make = (options: Options): ElectionModel => {
  const world = worldOf(options)
  const store = storeOf(world, options)
  const size = world.nodes.length
  const sids = world.nodes.map(({ sid }) => sid)
  const rules: Moves.Rules = {
    rounds: BigInt(options.bounds.rounds),
    timers: options.timers ?? "Any",
    asks: options.asks ?? "Quiet",
    leaves: options.leaves ?? "AtOnce",
    epoch: BigInt(Math.max(...world.nodes.map(({ member }) => member.epoch))),
    reduces: options.reduces ?? true,
    restless: bitsOf(world, options.restless),
    isQuorum: (isPresent) => Judge.isQuorum(world, world.nodes[0]!, (sid) => isPresent(sids.indexOf(sid)))
  }
  const progress = Progress.make(rules, store, sids)
  const before = Moment.make(size)
  const after = Moment.make(size)
  const wordsAfter = new Uint32Array(Moment.words(size))
  const check = checkOf(options, store, progress, sids)
  return {
    words: Moment.words(size),
    initial: [initialOf(world, store, options)],
    expand: (state, emit) => {
      Moment.read(state, before)
      Moves.each(rules, store, before, (move) => {
        Moment.copy(before, after)
        const broken = Moves.perform(rules, store, after, move) ?? check(after, before)
        emit(move, Moment.write(after, wordsAfter), broken)
      })
    },
    describe: (state, move) => {
      Moment.read(state, before)
      return Tale.tell(store, sids, before, move)
    },
    counts: () => ({
      peers: store.turns.peers.size(),
      messages: store.turns.messages.size(),
      channels: store.channels.size(),
      steps: store.turns.size(),
      followed: progress.followed()
    })
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

// What depends on the course of things is not asked of single steps: they are taken once, whatever led to them.
const worldOf = (options: Options): World => ({
  ...Genesis.make(scenarioOf(options), options.reducers ?? Reducers.shipped, unwitnessed),
  honest: false
})

const unwitnessed = { log: null, observe: null, observeLeadership: null, trace: null }

const scenarioOf = ({ peers, pending, quorum = "Majority", rules = "conclave" }: Options): Scenario => ({
  seed: 0,
  quorum,
  members: peers.map((peer) => ({
    role: "Voter",
    weight: 1,
    group: 1,
    electable: true,
    rules,
    zxid: 0,
    epoch: 0,
    clock: 100,
    starts: 0,
    ...peer
  })),
  pending: pending ?? null,
  latency: [0, 0],
  loopback: 0,
  loss: 0,
  duplication: 0,
  bytes: true,
  activation: false,
  ticks: { tickTime: 2_000, initLimit: 5, syncLimit: 2 },
  lease: null,
  storing: 0,
  storingFails: 0,
  maxNotificationInterval: 60_000,
  faultsUntil: 0,
  faults: []
})

const storeOf = (world: World, options: Options): Network.Store => {
  const answers = world.nodes.some(({ member }) => member.role !== "Voter")
  const readers = { answers, idles: options.leaves === "Slowly" }
  const key = options.everything === true ? PeerKey.whole : (peer: PeerKey.Peer) => PeerKey.of(peer, readers)
  const isKnown = (options.bounds.epochs ?? 0) === 0 && options.rumours === undefined
  const turns = Turns.make(world, key, { proposals: isKnown ? proposalsOf(world) : null })
  const down = (number: number): number => {
    const { history, index } = turns.peers.get(number)
    const { ensemble, membership } = world.nodes[index]!
    const election = world.reducers.Election.make(ensemble, membership, history)
    return turns.peers.id({ index, up: false, election, history })
  }
  const { bounds: { capacity = 1 }, loopback = "AtOnce", mortal } = options
  const channels = Channels.make(capacity === UNBOUNDED ? Infinity : capacity)
  return { turns, channels, down, loopback, mortal: bitsOf(world, mortal) }
}

const bitsOf = ({ nodes }: World, sids: ReadonlyArray<number> | undefined): number =>
  nodes.reduce((bits, { index, member }) => bits | Number(sids?.includes(member.sid) ?? true) << index, 0)

const proposalsOf = ({ nodes }: World): ReadonlyMap<bigint, Proposal> =>
  new Map(
    nodes.filter(({ ensemble, member }) => ensemble.electable && member.role === "Voter").map(({ disk, sid }) => {
      const { currentEpoch, lastLoggedZxid } = disk.synced
      return [sid, { leader: sid, zxid: lastLoggedZxid, peerEpoch: currentEpoch }]
    })
  )

const initialOf = (world: World, store: Network.Store, options: Options): Uint32Array => {
  const { bounds, round = 0n, rumours = [], starts = "Together" } = options
  const moment = Moment.make(world.nodes.length)
  const { breaks = 0, crashes = 0, epochs = 0, looks = 0, losses = 0, timeouts = 0 } = bounds
  moment.bounds = Bounds.make({ breaks, crashes, epochs, looks, losses, timeouts })
  for (const { disk, election, index } of world.nodes) {
    const history = disk.synced
    const waiting = { ...election, logicalClock: round }
    moment.peers[index] = store.turns.peers.id({ index, up: false, election: waiting, history })
  }
  return Moment.write(begin(world, store, moment, { rumours, starts }), new Uint32Array(Moment.words(moment.size)))
}

const begin = (
  world: World,
  store: Network.Store,
  moment: Moment.Moment,
  { rumours, starts }: Required<Pick<Options, "rumours" | "starts">>
): Moment.Moment => {
  const started = Moment.make(moment.size)
  Moment.copy(moment, started)
  if (starts === "Together") {
    // What is wrong with a start is found where each starts by itself.
    for (const { index } of world.nodes) if (Network.start(store, started, index) !== null) return moment
  }
  for (const { from, round, to, vote } of rumours) {
    const [sender, receiver] = [nodeOf(world, BigInt(from)), nodeOf(world, BigInt(to))]
    if (sender === undefined || receiver === undefined) continue
    const config = sender.membership.committed.text
    const said = { ...vote, from: sender.sid, version: 2, state: "LOOKING", electionEpoch: round, config } as const
    Network.send(store, started, sender.index, receiver.index, store.turns.messages.id(said))
  }
  return started
}

type Check = (after: Moment.Moment, before: Moment.Moment) => Broken | null

const checkOf = (
  { claim, timers }: Options,
  store: Network.Store,
  progress: Progress.Progress,
  sids: ReadonlyArray<bigint>
): Check => {
  const sceneOf = ({ peers }: Moment.Moment) => Array.from(peers, store.turns.peers.get)
  return (after, before) =>
    progress.check(after) ?? (timers === "Patient" ? disagreement(store, after, sids) : null) ??
      (claim === undefined ? null : claim(sceneOf(after), sceneOf(before)))
}

// Where messages are faster than timers, and nothing bad happens, nobody ever has another leader.
const disagreement = (store: Network.Store, moment: Moment.Moment, sids: ReadonlyArray<bigint>): Broken | null => {
  const leaders = new Set(sids.map((_, peer) => Moves.leaderOf(store, moment, sids, peer)))
  leaders.delete(-1)
  if (leaders.size <= 1) return null
  const followed = Array.from(leaders, (leader) => sids[leader])
  return { property: "agreement", detail: `servers ${followed.join(" and ")} are followed` }
}
