import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as Ensemble from "../src/Ensemble.ts"
import * as Steps from "../src/internal/traceSteps.ts"
import * as Json from "../src/Json.ts"
import * as QuorumServer from "../src/QuorumServer.ts"
import * as QuorumVerifier from "../src/QuorumVerifier.ts"
import * as Trace from "../src/Trace.ts"

const place = { ms: 1234.567891, wall: 1_700_000_000_123, sid: 2n ** 63n - 1n, instance: 7 }

const decode = (text: string): Trace.Line => Result.getOrThrow(Trace.decode(text))

const survives = (line: Trace.Line): void => {
  const text = Trace.encode(line)
  assert.notInclude(text, "\n")
  const read = decode(text)
  assert.deepStrictEqual(read, line)
  // Whoever reads and writes it again changes nothing.
  assert.strictEqual(Json.canonical(read), Json.canonical(Json.parse(text)))
}

const server = (sid: bigint, role?: QuorumServer.LearnerType) =>
  QuorumServer.make(sid, { host: `h${sid}`, quorumPort: 2, electionPort: 3 }, role)

const members = (sid: bigint, committed: QuorumVerifier.QuorumVerifier, lastSeen?: QuorumVerifier.QuorumVerifier) =>
  Ensemble.membership({ mySid: sid, committed, lastSeen })

describe("every step is read as it was written", () => {
  const reducers: Record<Trace.Reducer, readonly [Schema.Codec<unknown>, Schema.Codec<unknown>]> = {
    election: [Steps.ElectionEvent, Steps.ElectionOutputOf],
    connections: [Steps.ConnectionsEvent, Steps.ConnectionsOutputOf],
    leader: [Steps.LeaderEvent, Steps.LeaderOutputOf],
    learner: [Steps.LearnerEvent, Steps.LearnerOutputOf]
  }
  for (const [reducer, [event, output]] of Object.entries(reducers)) {
    it.prop(reducer, [Arbitrary.schema(event), Arbitrary.array(Arbitrary.schema(output))], ([event, outputs]) => {
      survives({ _tag: "Step", ...place, reducer, event, outputs } as Trace.Step)
    })
  }
})

describe("every beginning is read as it was written", () => {
  const history = { lastLoggedZxid: -1n, currentEpoch: 5n, acceptedEpoch: 2n ** 40n }
  const oracle = QuorumVerifier.oracle({ servers: [server(1n), server(2n)], oraclePath: "/o" })
  const later = Result.getOrThrow(QuorumVerifier.hierarchical({
    servers: [server(3n), server(1n), server(2n, "observer")],
    version: 0x1fn,
    groups: new Map([[1n, [3n, 1n]], [2n, [2n]]]),
    weights: new Map([[3n, 0n], [2n, 4n]])
  }))
  const membership = members(9n, oracle, later)

  it("of a membership, pending configuration and all", () => {
    for (const self of [membership, members(1n, oracle), members(2n, later)]) {
      assert.deepStrictEqual(Trace.membership(Trace.members(self)), self)
    }
    assert.notProperty(Trace.members(members(1n, oracle)), "lastSeen")
  })

  it("of all four", () => {
    const ensemble = Ensemble.make({ mySid: 9n })
    const told = Trace.members(membership)
    const pledge = { leader: null, until: 12.5 }
    const options = { mySid: 9n, ticks: Ensemble.defaultTicks, lease: { duration: 1, grace: 0.5, clockDrift: 0.01 } }
    const { currentEpoch, lastLoggedZxid } = history
    const starts: ReadonlyArray<Pick<Trace.Start, "made" | "reducer">> = [
      { reducer: "election", made: { ensemble, members: told, history: { currentEpoch, lastLoggedZxid } } },
      { reducer: "connections", made: { view: { mySid: 9n, rules: switches, probeAddresses: true }, members: told } },
      { reducer: "leader", made: { options: { ...options, acceptForeign: true }, members: told, history, pledge } },
      { reducer: "learner", made: { options: { ...options, leader: 1n }, members: told, history, pledge: null } }
    ]
    for (const start of starts) survives({ _tag: "Start", ...place, ...start } as Trace.Start)
  })

  it("without what the options of a shell hold besides", () => {
    const cyclic: Record<string, unknown> = {}
    cyclic["self"] = cyclic
    const ensemble = { ...Ensemble.make({ mySid: 9n }), cyclic }
    const made = { ensemble, members: Trace.members(membership), history }
    const { cyclic: _, ...plain } = ensemble
    const read = decode(Trace.encode({ _tag: "Start", ...place, reducer: "election", made }))
    assert.deepStrictEqual(read._tag === "Start" && read.reducer === "election" ? read.made.ensemble : null, plain)
  })
})

const switches = { dialConfiguredAddresses: true, redialBeforeClosing: false }

describe("the form", () => {
  it("is what TRACE.md says", () => {
    assert.strictEqual(Trace.encode(Trace.header), "{\"_tag\":\"Trace\",\"version\":1}")
    const notification = { from: 1n, leader: 1n, zxid: 2n ** 62n + 1n, peerEpoch: 0n, version: 2, electionEpoch: 1n }
    assert.strictEqual(
      Trace.encode({
        _tag: "Step",
        ms: 12.5,
        wall: 3,
        sid: 3n,
        reducer: "election",
        instance: 1,
        event: { _tag: "Received", notification: { ...notification, state: "LOOKING", config: null } },
        outputs: [{
          _tag: "QuorumReached",
          proposal: { leader: 1n, zxid: 0n, peerEpoch: 0n },
          supporters: new Set([3n, 1n])
        }]
      }),
      "{\"_tag\":\"Step\",\"ms\":12.5,\"wall\":3,\"sid\":3,\"reducer\":\"election\",\"instance\":1," +
        "\"event\":{\"_tag\":\"Received\",\"notification\":{\"from\":1,\"leader\":1,\"zxid\":4611686018427387905," +
        "\"peerEpoch\":0,\"version\":2,\"electionEpoch\":1,\"state\":\"LOOKING\",\"config\":null}}," +
        "\"outputs\":[{\"_tag\":\"QuorumReached\",\"proposal\":{\"leader\":1,\"zxid\":0,\"peerEpoch\":0}," +
        "\"supporters\":[3,1]}]}"
    )
  })

  it("has bytes as hexadecimal digits, whatever holds them", () => {
    for (const data of [new Uint8Array([0, 10, 255]), Buffer.from([0, 10, 255])]) {
      const event = { _tag: "Received", packet: { type: "ACK", zxid: 1n, data }, at: 1, lastLoggedZxid: 0n } as const
      const text = Trace.encode({ _tag: "Step", ...place, reducer: "learner", event, outputs: [] })
      assert.include(text, "\"data\":\"000aff\"")
    }
  })

  it.each([
    ["", true],
    ["{\"_tag\":\"Ste", true],
    ["{}", false],
    ["{\"_tag\":\"Trace\",\"version\":2}", false],
    ["{\"_tag\":\"Trace\",\"version\":1,\"more\":1}", false],
    ["{\"_tag\":\"Lost\",\"ms\":1,\"wall\":1,\"lines\":1.5}", false]
  ])("refuses %s", (text, isTorn) => {
    const line = Trace.decode(text)
    assert.isTrue(Result.isFailure(line))
    assert.strictEqual(Result.isFailure(line) && line.failure.isTorn, isTorn)
  })

  it("says which versions differ", () => {
    const line = Trace.decode("{\"_tag\":\"Trace\",\"version\":2}")
    assert.include(Result.isFailure(line) ? line.failure.message : "", "version 2, and this program reads version 1")
  })
})
