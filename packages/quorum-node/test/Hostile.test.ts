/** An ensemble that elects again and again while everything that can dial it does harm. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Attacks from "./Attacks.ts"
import * as Footprint from "./Footprint.ts"
import * as TcpEnsemble from "./TcpEnsemble.ts"

/** In milliseconds. Shorter than the defaults, so that what the peers wait for is over within the time of a test. */
const patience = { handshakeTimeout: 1_500, cnxTimeout: 3_000 }

/**
 * By how much the heap may have grown in the end, in bytes. 3 MB of it come once, with code compiled and tables made
 * large: after a second and a third pass of all attacks it is the same to within 0.4 MB. A pass is some 18,000
 * connections. `Cycles` looks more closely.
 */
const HEAP_GROWTH_MAX = 6_000_000

/** How long an election may take, in seconds, before it counts as one that has no end; the slowest takes 1. */
const ELECTION_SECONDS_MAX = 20

/** How long all of one kind may take to be turned away, in seconds; the slowest takes 3. */
const ATTACK_SECONDS_MAX = 60

/** How long the whole may take, in milliseconds: 20 seconds, and what else a machine may have to do. */
const TEST_TIMEOUT_MS = 240_000

const UNBOUNDED = { concurrency: "unbounded", discard: true } as const

/** Three peers that elect. */
interface Ensemble {
  readonly members: ReadonlyArray<Attacks.Target>
  /** How many elections there were so far. */
  elections: number
}

const start = Effect.fnUntraced(function*(footprint: Footprint.Counter) {
  const net = TcpEnsemble.randomNet()
  const voters = TcpEnsemble.voters(3, net)
  const members = yield* Effect.forEach(TcpEnsemble.sids(3), (sid) =>
    Effect.map(footprint.count(TcpEnsemble.start(voters, sid, patience)), (member): Attacks.Target => ({
      ...member,
      address: TcpEnsemble.address(voters, sid),
      nowhere: `${net}.99:${TcpEnsemble.PORT}`
    })))
  const ensemble: Ensemble = { members, elections: 0 }
  return ensemble
})

// All look, or the leader alone; then all must agree in a later round, on one of them and nobody's better history.
const electAgain = Effect.fnUntraced(function*(ensemble: Ensemble) {
  const { elections, members } = ensemble
  const before = yield* agreement(ensemble, 0n)
  const leading = members.filter((_, index) => before[index]!.state === "LEADING")
  for (const { peer } of elections % 2 === 0 ? members : leading) yield* peer.lookForLeader
  const round = before.map(({ vote }) => vote.electionEpoch).reduce((a, b) => (a > b ? a : b))
  for (const { vote } of yield* agreement(ensemble, round + 1n)) assert.strictEqual(vote.zxid, 0n)
  ensemble.elections++
})

const agreement = ({ elections, members }: Ensemble, sinceRound: bigint) =>
  Effect.timeoutOrElse(TcpEnsemble.agreement(members, sinceRound), {
    duration: `${ELECTION_SECONDS_MAX} seconds`,
    orElse: () => Effect.die(new Error(`no agreement after ${elections} elections`))
  })

const rejections = ({ peer }: Attacks.Target): Effect.Effect<Attacks.Tally> =>
  Effect.map(peer.rejections, (counts) => Object.fromEntries(counts))

// What a peer counts while it is attacked in turn, and by others beside that, once it has counted as much as it should.
const attack = Effect.fnUntraced(function*(
  target: Attacks.Target,
  inTurn: ReadonlyArray<Attacks.Attack>,
  beside: ReadonlyArray<Attacks.Attack> = []
) {
  const before = yield* rejections(target)
  const run = (attacks: ReadonlyArray<Attacks.Attack>, concurrency: number) =>
    Effect.forEach(attacks, ({ run }) => run(target), { concurrency })
  yield* Effect.timeoutOrElse(Effect.all([run(inTurn, 1), run(beside, beside.length)], UNBOUNDED), {
    duration: `${ATTACK_SECONDS_MAX} seconds`,
    orElse: () => Effect.die(new Error(`server ${target.sid} still listens to: ${inTurn.map(({ name }) => name)}`))
  })
  const counted = Effect.map(rejections(target), (now) => {
    const news = Object.entries(now).map(([reason, count]) => [reason, count - (before[reason] ?? 0)] as const)
    return Object.fromEntries(news.filter(([, count]) => count > 0)) as Attacks.Tally
  })
  const expected = total(...[...inTurn, ...beside].map(({ tally }) => tally))
  return yield* Footprint.until(`${expected} rejections`, counted, (tally) => total(tally) >= expected)
})

const total = (...tallies: ReadonlyArray<Attacks.Tally>) =>
  tallies.flatMap((tally) => Object.values(tally)).reduce((sum, count) => sum + count, 0)

// Runs this for all three at the same time, and goes on until an election has ended meanwhile.
const onAll = <A, E, R>(ensemble: Ensemble, run: (target: Attacks.Target) => Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const { elections } = ensemble
    const ended = Footprint.until("election", Effect.sync(() => ensemble.elections), (now) => now > elections)
    return Effect.tap(Effect.forEach(ensemble.members, run, { concurrency: "unbounded" }), () => ended)
  })

// Each alone, so that it is known what is counted for it.
const oneByOne = Effect.fnUntraced(function*(ensemble: Ensemble) {
  for (const kind of [...Attacks.refused, ...Attacks.strangers]) {
    for (const counted of yield* onAll(ensemble, (target) => attack(target, [kind]))) {
      assert.deepStrictEqual(counted, kind.tally, kind.name)
    }
  }
})

// A thousand that say nothing: the newest push out the others, and are timed out themselves. Then a thousand at the
// very same moment, of which the kernel forgets most: they are not counted, but they must not disturb either.
const flooded = Effect.fnUntraced(function*(ensemble: Ensemble) {
  const reasons = new Set(["TooManyHandshakes", "HandshakeTimedOut"])
  for (const counted of yield* onAll(ensemble, (target) => attack(target, [Attacks.flood(1_000)]))) {
    assert.strictEqual(total(counted), 1_000)
    assert.isAtLeast(counted["TooManyHandshakes"]!, 900)
    assert.deepStrictEqual(new Set(Object.keys(counted)).difference(reasons), new Set())
  }
  yield* Effect.scoped(onAll(ensemble, ({ address }) => Attacks.burst(address, 1_000)))
})

// All at the same time: each connection is turned away once, if only because there are too many.
const allTogether = Effect.fnUntraced(function*(ensemble: Ensemble) {
  const babbling = yield* Effect.forkScoped(Effect.forEach(ensemble.members, (target) =>
    Effect.forEach([701n, 702n, 703n], (sid) => Attacks.babble(target, sid), UNBOUNDED), UNBOUNDED))
  yield* onAll(ensemble, ({ peer }) => Footprint.until("babblers", peer.connected, (sids) => sids.has(703n)))
  const silent = Attacks.flood(500)
  for (const counted of yield* onAll(ensemble, (target) => attack(target, Attacks.refused, [silent]))) {
    assert.strictEqual(total(counted), total(silent.tally, ...Attacks.refused.map(({ tally }) => tally)))
  }
  yield* Fiber.interrupt(babbling)
})

const impersonateAll = ({ members }: Ensemble) =>
  Effect.forEach(members, (target) =>
    Effect.forEach(members, ({ sid }) =>
      sid === target.sid ? Effect.void : Attacks.impersonate(target, sid), UNBOUNDED), UNBOUNDED)

describe("three peers under attack", () => {
  it.live("elect every time, count every rejection, and keep nothing", () =>
    Effect.gen(function*() {
      const footprint = yield* Footprint.make
      const nothing = yield* footprint.now
      assert.deepStrictEqual(nothing, { sockets: 0, fibers: 0, sleepers: 0 })
      const ensemble = yield* start(footprint)
      const quiet = Footprint.until("quiet", footprint.now, ({ sleepers }) => sleepers === 0)
      yield* electAgain(ensemble)
      const atFirst = yield* quiet
      const heapAtFirst = yield* Footprint.heapUsed

      yield* Effect.scoped(Effect.gen(function*() {
        const electing = yield* Effect.forkScoped(Effect.forever(electAgain(ensemble)))
        yield* Effect.forkScoped(impersonateAll(ensemble))
        const attacks = Effect.andThen(oneByOne(ensemble), Effect.andThen(flooded(ensemble), allTogether(ensemble)))
        yield* Effect.raceFirst(Effect.scoped(attacks), Fiber.join(electing))
      }))

      // An election wants all links, also those that nobody needed when impostors had broken them.
      yield* electAgain(ensemble)
      yield* Footprint.until("as at first", footprint.now, (now) => now.sockets === atFirst.sockets)
      assert.deepStrictEqual(yield* quiet, atFirst)
      for (const { peer, sid } of ensemble.members) {
        const others = ensemble.members.map((other) => other.sid).filter((other) => other !== sid)
        assert.deepStrictEqual(yield* peer.connected, new Set(others))
        assert.deepStrictEqual((yield* peer.connections).map((story) => story.sid), others)
      }
      const growth = (yield* Footprint.heapUsed) - heapAtFirst
      console.log(`${ensemble.elections} elections; the heap has grown by ${Math.round(growth / 1024)} KiB`)
      assert.isBelow(growth, HEAP_GROWTH_MAX)

      yield* Effect.forEach(ensemble.members, ({ stop }) => stop, UNBOUNDED)
      assert.deepStrictEqual(yield* Footprint.until("ended", footprint.now, ({ sockets }) => sockets === 0), nothing)
    }).pipe(Effect.provide(Logger.layer([]))), TEST_TIMEOUT_MS)
})
