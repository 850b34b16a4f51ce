/** Leaders that are elected and cannot be activated, or whom some cannot follow. */
import * as Lease from "@conclave/core/Lease"
import * as LearnerInfo from "@conclave/core/LearnerInfo"
import * as QuorumPacket from "@conclave/core/QuorumPacket"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import * as History from "../src/History.ts"
import { MemoryNetwork } from "../src/MemoryNetwork.ts"
import * as Cluster from "./Cluster.ts"
import * as Leaders from "./Leaders.ts"

const { host, networked } = Cluster
const { activated, allLook, ledBy } = Leaders

/** A history that cannot be written from the n-th attempt on, and how often that was tried. */
const failing = (history: History.History["Service"], writes: number) => {
  const attempts: Array<string> = []
  const attempt = (write: Effect.Effect<void, History.HistoryError>, what: string) =>
    Effect.suspend(() => {
      attempts.push(what)
      return attempts.length < writes
        ? write
        : Effect.fail(new History.HistoryError({ what, remedy: "free some space", cause: new Error("disk full") }))
    })
  const made: History.History["Service"] = {
    read: history.read,
    setAcceptedEpoch: (epoch) => attempt(history.setAcceptedEpoch(epoch), `accepted ${epoch}`),
    setCurrentEpoch: (epoch) => attempt(history.setCurrentEpoch(epoch), `current ${epoch}`)
  }
  return { attempts, history: made }
}

/** How many elections a peer has decided. */
const countElections = Effect.fnUntraced(function*({ peer }: Cluster.Member) {
  const count = { elections: 0 }
  yield* Effect.forkScoped(
    Stream.runForEach(peer.outputs, (output) =>
      Effect.sync(() => void (count.elections += output._tag === "Elected" ? 1 : 0))),
    { startImmediately: true }
  )
  return count
})

describe("a peer whose epochs cannot be stored", () => {
  it.effect.each([1, 2])("promises nothing, lives, and lets another lead (attempt %i fails)", (writes) =>
    networked(Effect.fnUntraced(function*() {
      const { attempts, history } = failing(yield* History.make(), writes)
      const broken = yield* Cluster.start(3, 3n, { ...activated(), history })
      const [one, two] = yield* Cluster.startSome(3, [1n, 2n], activated())
      const elections = yield* countElections(broken)
      const { leader, epoch } = yield* Leaders.led([one!, two!])
      assert.strictEqual(leader.sid, 2n)
      yield* Leaders.stays([one!, two!], 20, ledBy(2n, epoch))
      assert.strictEqual((yield* broken.leadership.status)._tag, "LOOKING")
      assert.isNotEmpty(attempts)
      assert.isBelow(elections.elections, 40, "in 20 s, with pauses that grow to 2 s")
      const facts = yield* history.read
      assert.isAtMost(Number(facts.currentEpoch), writes - 1)
    }))())

  it.effect("follows again when they can be", networked(Effect.fnUntraced(function*() {
    let full = true
    const kept = yield* History.make()
    const fail = Effect.fail(new History.HistoryError({ what: "it", remedy: "free some", cause: new Error("full") }))
    const history: History.History["Service"] = {
      ...kept,
      setAcceptedEpoch: (epoch) => Effect.suspend(() => (full ? fail : kept.setAcceptedEpoch(epoch)))
    }
    const broken = yield* Cluster.start(3, 1n, { ...activated(), history })
    const [two, three] = yield* Cluster.startSome(3, [2n, 3n], activated())
    const { epoch } = yield* Leaders.led([two!, three!])
    yield* Leaders.stays([broken], 3, allLook)
    full = false
    yield* Leaders.until([broken, two!, three!], ledBy(3n, epoch), 3)
  })))
})

describe("a peer that cannot listen at its quorum port", () => {
  it.effect("lets another lead, and follows it", networked(Effect.fnUntraced(function*(network) {
    const squatter = yield* network.transport(host(3n))
    yield* squatter.listen({ host: host(3n), port: 2888 })
    const members = yield* Cluster.startAll(3, activated())
    const elections = yield* countElections(members[2]!)
    const { epoch } = yield* Leaders.led(members)
    yield* Leaders.until(members, ledBy(2n, epoch))
    yield* Leaders.stays(members, 10, ledBy(2n, epoch))
    assert.isAtMost(elections.elections, 2)
  })))

  it.effect("and is alone tries once in a while", networked(Effect.fnUntraced(function*(network) {
    const squatter = yield* network.transport(host(1n))
    yield* squatter.listen({ host: host(1n), port: 2888 })
    const [only] = yield* Cluster.startAll(1, activated({ abstainFor: 2_000 }))
    const elections = yield* countElections(only!)
    yield* Leaders.stays([only!], 20, allLook)
    assert.isAtLeast(elections.elections, 5)
    assert.isAtMost(elections.elections, 10)
  })))
})

describe("a peer whose lease is another", () => {
  it.effect("is told so, does not follow, and does not try without end", () => {
    const lines: Array<string> = []
    const logger = Logger.make<unknown, void>(({ message }) => void lines.push(String(message)))
    return networked(Effect.fnUntraced(function*() {
      const members = yield* Cluster.startSome(3, [2n, 3n], activated({ lease: Lease.make(400) }))
      const odd = yield* Cluster.start(3, 1n, activated({ lease: Lease.make(300) }))
      const elections = yield* countElections(odd)
      yield* Leaders.until(members, ledBy(3n, 1n))
      yield* Leaders.stays(members, 20, ledBy(3n, 1n))
      assert.strictEqual((yield* odd.leadership.status)._tag, "LOOKING")
      assert.isBelow(elections.elections, 40, "in 20 s, with pauses that grow to 2 s")
      assert.isTrue(lines.some((line) => line.includes("lease")), lines.join("\n"))
    }))().pipe(Effect.provide(Logger.layer([logger])))
  })
})

describe("a leader that is a real ZooKeeper server", () => {
  it.effect("is voted for, and not followed by who votes", networked(Effect.fnUntraced(function*() {
    const network = yield* MemoryNetwork
    const members = yield* Cluster.startSome(3, [2n, 3n], { ...activated(), activation: null })
    const foreign = yield* network.transport(host(3n))
    const received: Array<string> = []
    const listener = yield* foreign.listen({ host: host(3n), port: 2888 })
    yield* Effect.forkScoped(listener.run((connection) =>
      Effect.gen(function*() {
        let rest: QuorumPacket.Rest = QuorumPacket.empty
        while (true) {
          for (const chunk of yield* connection.pull) {
            const decoded = yield* Effect.fromResult(QuorumPacket.decode(rest, chunk))
            rest = decoded.rest
            for (const { type } of decoded.packets) received.push(type)
            const data = LearnerInfo.encodeLeader({ protocolVersion: LearnerInfo.PROTOCOL_VERSION, ours: null })
            yield* connection.write(QuorumPacket.encode(QuorumPacket.make("LEADERINFO", 1n << 32n, data)))
          }
        }
      }).pipe(Effect.ignore)))
    const one = yield* Cluster.start(3, 1n, activated())
    const elections = yield* countElections(one)
    yield* Cluster.until([one, ...members], Cluster.agreeOn(3n))
    yield* Leaders.stays([one], 10, allLook)
    assert.strictEqual(elections.elections, 1, "the election stands")
    assert.deepStrictEqual(received, ["FOLLOWERINFO"], "and no ACKEPOCH was sent")
    assert.strictEqual((yield* one.history.read).acceptedEpoch, 0n)
  })))
})
