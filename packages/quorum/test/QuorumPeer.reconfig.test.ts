import * as Ensemble from "@conclave/core/Ensemble"
import * as QuorumVerifier from "@conclave/core/QuorumVerifier"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type { MembershipStore } from "../src/MembershipStore.ts"
import { serverState } from "../src/PeerStatus.ts"
import * as Cluster from "./Cluster.ts"

const { agreeOn, networked } = Cluster

/** A configuration of these voters and observers. */
const config = (version: number, voters: ReadonlyArray<number>, observers: ReadonlyArray<number> = []) =>
  QuorumVerifier.majority({
    version: BigInt(version),
    servers: [
      ...voters.map((sid) => Cluster.server(BigInt(sid))),
      ...observers.map((sid) => Cluster.server(BigInt(sid), "observer"))
    ]
  })

const reconfigEnabled = true

/** A store that remembers, in the order in which they came, the versions in force. */
const remembering = () => {
  const versions: Array<bigint> = []
  const store: MembershipStore = {
    committed: ({ version }) => Effect.sync(() => void versions.push(version)),
    lastSeen: () => Effect.die("nothing is pending")
  }
  return { versions, store }
}

const versionOf = ({ peer }: Cluster.Member) => Effect.map(peer.membership, ({ committed }) => committed.version)

const roleOf = ({ peer, sid }: Cluster.Member) =>
  Effect.map(peer.membership, (membership) => Ensemble.roleOf(membership, sid))

const states = (...expected: ReadonlyArray<string>): Cluster.Fact => (statuses) =>
  statuses.every((status, index) => serverState(status) === expected[index])

describe("a peer with an older configuration", () => {
  const [before, after] = [config(5, [1, 2, 3]), config(6, [1, 2, 3, 4])]

  it.effect("learns the newer one (testNextConfigAlreadyActive)", networked(Effect.fnUntraced(function*() {
    const others = yield* Cluster.startSome(after, [2n, 3n, 4n])
    yield* Cluster.until(others, agreeOn(4n))
    const one = yield* Cluster.start(before, 1n, { reconfigEnabled })
    yield* Cluster.until([one, ...others], agreeOn(4n))
    assert.strictEqual(yield* versionOf(one), 6n)
  })))

  it.effect("keeps to its own without reconfigEnabled, and says so once", networked(Effect.fnUntraced(function*() {
    const told: Array<string> = []
    const logger = Logger.make<unknown, void>(({ logLevel, message }) => void told.push(`${logLevel} ${message}`))
    yield* Effect.gen(function*() {
      yield* Cluster.startSome(after, [2n, 3n])
      const one = yield* Cluster.start(before, 1n)
      yield* Cluster.until([one], agreeOn(3n))
      assert.strictEqual(yield* versionOf(one), 5n)
    }).pipe(Effect.provide(Layer.merge(Logger.layer([logger]), Layer.empty)))
    const refusals = told.filter((line) => line.includes("is not adopted"))
    assert.deepStrictEqual(refusals.length, 1, told.join("\n"))
    assert.match(refusals[0]!, /^Warn configuration 6 from server [23] .*reconfigEnabled=true/)
  })))

  it.effect("stores the newer one when its leader leads by it, and not before", networked(Effect.fnUntraced(
    function*() {
      const { store, versions } = remembering()
      const two = yield* Cluster.start(after, 2n)
      const one = yield* Cluster.start(before, 1n, { reconfigEnabled, store })
      yield* Cluster.stays([one, two], 5, Cluster.allLook)
      assert.strictEqual(yield* versionOf(one), 6n)
      assert.deepStrictEqual(versions, [])
      const four = yield* Cluster.start(after, 4n)
      yield* Cluster.until([one, two, four], agreeOn(4n))
      yield* Cluster.stays([one, two, four], 2, agreeOn(4n))
      assert.deepStrictEqual(versions, [6n])
    }
  )))

  it.effect("is not led astray in what it stores by a leader that has the older one", networked(Effect.fnUntraced(
    function*() {
      const { store, versions } = remembering()
      // Server 2 has a newer configuration, but the leader does not take it from there.
      const two = yield* Cluster.start(config(6, [1, 2, 3]), 2n)
      const three = yield* Cluster.start(before, 3n)
      const one = yield* Cluster.start(before, 1n, { reconfigEnabled, store })
      yield* Cluster.until([one, two, three], agreeOn(3n))
      yield* Cluster.stays([one, two, three], 3, agreeOn(3n))
      assert.strictEqual(yield* versionOf(one), 6n)
      assert.deepStrictEqual(versions, [])
    }
  )))
})

describe("while a configuration is pending", () => {
  it.effect("nobody leads without a quorum of it too (testNextConfigUnreachable)", networked(Effect.fnUntraced(
    function*() {
      const lastSeen = config(6, [1, 2, 3, 4, 5, 6, 7])
      const members = yield* Cluster.startSome(config(5, [1, 2, 3]), [1n, 2n, 3n], { lastSeen })
      yield* Cluster.stays(members, 30, Cluster.allLook)
      const four = yield* Cluster.start(lastSeen, 4n)
      yield* Cluster.until([...members, four], agreeOn(4n))
    }
  )))

  it.effect("that makes the voters observers and the observers voters, a voter of now leads " +
    "(testCurrentServersAreObserversInNextConfig)", networked(Effect.fnUntraced(function*() {
    const [committed, lastSeen] = [config(5, [1, 2], [3, 4]), config(6, [3, 4], [1, 2])]
    const voters = yield* Cluster.startSome(committed, [1n, 2n], { lastSeen })
    yield* Cluster.stays(voters, 10, Cluster.allLook)
    const observers = yield* Cluster.startSome(committed, [3n, 4n], { lastSeen })
    yield* Cluster.until([...voters, ...observers], agreeOn(2n))
    yield* Cluster.until([...voters, ...observers], states("FOLLOWING", "LEADING", "OBSERVING", "OBSERVING"))
  })))

  it.effect("that makes an observer a voter, its vote counts in that (testCurrentObserverIsParticipantInNewConfig)",
    networked(Effect.fnUntraced(function*() {
      const [committed, lastSeen] = [config(5, [1, 2, 3], [4]), config(6, [1, 2, 3, 4])]
      const two = yield* Cluster.startSome(committed, [1n, 2n], { lastSeen })
      yield* Cluster.stays(two, 10, Cluster.allLook)
      const four = yield* Cluster.start(committed, 4n, { lastSeen })
      yield* Cluster.until([...two, four], agreeOn(2n))
    })))
})

describe("a change of role", () => {
  it.effect("from observer to voter while it looks: its vote is the one that was missing " +
    "(testObserverConvertedToParticipantDuringFLE)", networked(Effect.fnUntraced(function*() {
    const two = yield* Cluster.start(config(6, [1, 2, 3]), 2n)
    yield* Cluster.stays([two], 5, Cluster.allLook)
    const three = yield* Cluster.start(config(5, [1, 2], [3]), 3n, { reconfigEnabled })
    yield* Cluster.until([two, three], agreeOn(3n))
    assert.strictEqual(yield* roleOf(three), "participant")
  })))

  it.effect("from voter to observer: it observes, and its vote is not missed", networked(Effect.fnUntraced(
    function*() {
      const [one, two] = yield* Cluster.startSome(config(6, [1, 2], [3]), [1n, 2n])
      const three = yield* Cluster.start(config(5, [1, 2, 3]), 3n, { reconfigEnabled })
      yield* Cluster.until([one!, two!, three], agreeOn(2n))
      yield* Cluster.until([three], states("OBSERVING"))
      yield* one!.stop
      yield* Cluster.until([two!], Cluster.allLook)
      yield* Cluster.stays([two!], 20, Cluster.allLook)
    }
  )))
})

describe("a server that was removed", () => {
  const [before, after, again] = [config(5, [1, 2, 3]), config(6, [1, 2]), config(7, [1, 2, 3])]

  it.effect("follows without a vote, and nobody leads by it", networked(Effect.fnUntraced(function*() {
    const { store, versions } = remembering()
    const [one, two] = yield* Cluster.startSome(after, [1n, 2n], { reconfigEnabled })
    const three = yield* Cluster.start(before, 3n, { reconfigEnabled, store })
    yield* Cluster.until([one!, two!, three], agreeOn(2n))
    assert.deepStrictEqual([yield* versionOf(three), yield* roleOf(three)], [6n, null])
    assert.deepStrictEqual(versions, [6n])
    yield* one!.stop
    yield* Cluster.until([two!, three], Cluster.allLook)
    yield* Cluster.stays([two!, three], 30, Cluster.allLook)
    const back = yield* Cluster.start(after, 1n, { reconfigEnabled })
    yield* Cluster.until([back, two!, three], agreeOn(2n))
  })))

  it.effect("cannot be elected, however fresh it is", networked(Effect.fnUntraced(function*() {
    const facts = { lastLoggedZxid: 99n, currentEpoch: 9n }
    const three = yield* Cluster.start(before, 3n, { reconfigEnabled, facts })
    const [one, two] = yield* Cluster.startSome(after, [1n, 2n], { reconfigEnabled })
    yield* Cluster.until([one!, two!, three], agreeOn(2n))
    yield* Cluster.stays([one!, two!, three], 20, agreeOn(2n))
  })))

  it.effect("hears that it is added again, because it still listens", networked(Effect.fnUntraced(function*() {
    const members = yield* Cluster.startSome(after, [1n, 2n], { reconfigEnabled })
    const three = yield* Cluster.start(before, 3n, { reconfigEnabled })
    yield* Cluster.until([...members, three], agreeOn(2n))
    for (const { stop } of members) yield* stop
    yield* Cluster.until([three], Cluster.allLook)
    const [one] = yield* Cluster.startSome(again, [1n], { reconfigEnabled })
    // One of three voters is down, so it takes the vote of the third.
    yield* Cluster.until([one!, three], agreeOn(3n))
    assert.deepStrictEqual([yield* versionOf(three), yield* roleOf(three)], [7n, "participant"])
  })))

  it.effect("says so in its log", networked(Effect.fnUntraced(function*() {
    const told: Array<string> = []
    const logger = Logger.make<unknown, void>(({ logLevel, message }) => void told.push(`${logLevel} ${message}`))
    yield* Effect.gen(function*() {
      yield* Cluster.start(after, 2n)
      const three = yield* Cluster.start(before, 3n, { reconfigEnabled })
      while ((yield* roleOf(three)) !== null) yield* Cluster.stays([three], 1, Cluster.allLook)
    }).pipe(Effect.provide(Logger.layer([logger])))
    assert.lengthOf(told.filter((line) => /^Warn configuration 6 .*does not list server 3.*no vote/.test(line)), 1)
  })))
})
