import { assert, describe, it } from "@effect/vitest"
import * as Conformance from "../src/Conformance.ts"
import * as Election from "../src/Election.ts"
import * as Ensemble from "../src/Ensemble.ts"
import * as Json from "../src/Json.ts"
import * as QuorumServer from "../src/QuorumServer.ts"
import * as QuorumVerifier from "../src/QuorumVerifier.ts"
import * as Trace from "../src/Trace.ts"

const servers = [1n, 2n, 3n].map((sid) => QuorumServer.make(sid, { host: "h", quorumPort: 2, electionPort: 3 }))
const ensemble = Ensemble.make({ mySid: 1n })
const membership = Ensemble.membership({ mySid: 1n, committed: QuorumVerifier.majority({ servers }) })
const history = { lastLoggedZxid: 5n, currentEpoch: 1n }

/** The lines of a peer that looks, hears a server, and joins a better proposal; the beginning is the second line. */
const lines = (who: Ensemble.Ensemble = ensemble, facts: Pick<Trace.StepOf<"election">, "electable"> = {}) => {
  let state: Election.State = Election.make(ensemble, membership, history)
  const place = { ms: 1, wall: 1, sid: 1n, reducer: "election", instance: 1 } as const
  const notification = { version: 2, state: "LOOKING", leader: 3n, zxid: 5n, peerEpoch: 1n, electionEpoch: 1n } as const
  const events: ReadonlyArray<Election.Event> = [
    { _tag: "LookForLeader", ...history },
    { _tag: "Received", notification: { ...notification, from: 3n, config: null } },
    { _tag: "Received", notification: { ...notification, from: 2n, config: null } },
    { _tag: "FinalizeTimeout" },
    { _tag: "LeaderLost" }
  ]
  const made = { ensemble, members: Trace.members(membership), history }
  return [Trace.header, { _tag: "Start", ...place, made } as const, ...events.map((event): Trace.Step => {
    const [next, outputs] = Election.step(who, state, event)
    state = next
    return { _tag: "Step", ...place, ...facts, event, outputs }
  })].map(Trace.encode)
}

const faultOf = (texts: ReadonlyArray<string>) => {
  const { fault } = Conformance.check(texts)
  return fault === null ? "" : `${fault._tag} ${Conformance.describe(fault)}`
}

const changed = (at: number, from: string, to: string): ReadonlyArray<string> => {
  const all = lines()
  assert.include(all[at], from)
  return all.with(at, all[at]!.replace(from, to))
}

describe("a trace", () => {
  it("of what the core does conforms", () => {
    const report = Conformance.check(lines())
    assert.deepStrictEqual(report, { steps: 5, started: 1, unchecked: 0, lost: 0, fault: null })
    assert.strictEqual(Conformance.summary(report), "5 steps of 1 reducers, all as the rules say")
  })

  it("of a peer that abstains is checked as one that does", () => {
    const abstains = lines({ ...ensemble, electable: false }, { electable: false })
    assert.strictEqual(faultOf(abstains), "")
    assert.match(faultOf(abstains.map((line) => line.replace(",\"electable\":false", ""))), /^Differs line 3/)
  })

  it("conforms in any order of fields", () => {
    assert.strictEqual(faultOf(lines().map((line) => Json.canonical(Json.parse(line)))), "")
  })

  it.each([
    ["an output that was changed", 3, "\"ground\":\"sid\"", "\"ground\":\"zxid\""],
    ["an output too many", 6, "\"outputs\":[]", "\"outputs\":[{\"_tag\":\"ConnectAll\"}]"],
    ["an event that was changed", 3, "\"peerEpoch\":1,\"electionEpoch\":1", "\"peerEpoch\":0,\"electionEpoch\":1"]
  ])("with %s is refused at its line", (_, at, from, to) => {
    assert.match(faultOf(changed(at, from, to)), new RegExp(`^Differs line ${at + 1}: election 1 of server 1 `))
  })

  it("with other beginnings is refused at the first step that shows it", () => {
    const [, start] = lines()
    assert.match(faultOf(changed(1, "\"finalizeWait\":200", "\"finalizeWait\":201")), /^Differs line 5: /)
    assert.include(start, "\"finalizeWait\":200")
  })

  it("without a step is refused at a later one, and without its beginning at the first", () => {
    const all = lines()
    assert.match(faultOf(all.toSpliced(3, 1)), /^Differs line 4: .*\n.*\n.*\n {2}expected .*\n {2}found /)
    assert.match(faultOf(all.toSpliced(1, 1)), /^NotStarted line 2: /)
  })

  it("must begin as one, and have lines of one", () => {
    assert.match(faultOf(lines().slice(1)), /^Malformed line 1: the trace does not begin with /)
    assert.match(faultOf(["no trace"]), /^Malformed line 1: /)
    assert.match(faultOf(lines().with(3, "{}")), /^Malformed line 4: /)
    assert.match(faultOf(lines().with(3, "{\"_tag\":")), /^Malformed line 4: /)
  })
})

describe("a trace that is not whole", () => {
  const lost = Trace.encode({ _tag: "Lost", ms: 1, wall: 1, lines: 2 })

  it("may break off at its end, and where another process goes on", () => {
    const all = lines()
    const torn = all.at(-1)!.slice(0, 20)
    assert.strictEqual(faultOf([...all, torn]), "")
    assert.strictEqual(faultOf([...all, torn, ...all]), "")
  })

  it("may have a gap, after which nothing is checked until the next beginning", () => {
    const all = lines()
    const gap = [...all.slice(0, 3), all[3]!.slice(0, 9), lost, ...all.slice(5), ...all.slice(1)]
    const report = Conformance.check(gap)
    assert.deepStrictEqual(report, { steps: 6, started: 2, unchecked: 2, lost: 2, fault: null })
    assert.match(Conformance.summary(report), /; 2 lines are missing, so 2 steps could not be checked$/)
  })

  it("knows nothing of the process before", () => {
    const all = lines()
    assert.match(faultOf([...all, Trace.encode(Trace.header), ...all.slice(2)]), /^NotStarted line 9: /)
  })
})
