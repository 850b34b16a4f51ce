import { assert, describe, it } from "@effect/vitest"
import * as Ensemble from "../src/Ensemble.ts"
import type { Output } from "../src/ElectionOutput.ts"
import * as QuorumServer from "../src/QuorumServer.ts"
import * as QuorumVerifier from "../src/QuorumVerifier.ts"
import * as Trace from "../src/Trace.ts"
import * as TraceStory from "../src/TraceStory.ts"

const server = QuorumServer.make(1n, { host: "h", quorumPort: 2, electionPort: 3 })
const membership = Ensemble.membership({ mySid: 1n, committed: QuorumVerifier.majority({ servers: [server] }) })

const place = (sid: bigint, at: number) => ({ ms: 500 * Number(sid) + at, wall: 3_600_000 + at, sid, instance: 1 })

const starts = (sid: bigint, at: number): Trace.Start => ({
  _tag: "Start",
  ...place(sid, at),
  reducer: "election",
  made: {
    ensemble: Ensemble.make({ mySid: sid }),
    members: Trace.members(membership),
    history: { lastLoggedZxid: 0n, currentEpoch: 0n }
  }
})

const step = <R extends Trace.Reducer>(
  sid: bigint,
  at: number,
  reducer: R,
  event: Trace.Events[R],
  ...outputs: ReadonlyArray<Trace.Outputs[R]>
) => ({ _tag: "Step", ...place(sid, at), reducer, event, outputs }) as Trace.Step

const proposal = (leader: bigint) => ({ leader, zxid: 0n, peerEpoch: 0n })

const looks = (sid: bigint, at: number) =>
  step(sid, at, "election", { _tag: "LookForLeader", lastLoggedZxid: 0n, currentEpoch: 0n })

const changes = (sid: bigint, at: number, from: bigint): Trace.Step =>
  step(sid, at, "election", { _tag: "FinalizeTimeout" }, {
    _tag: "Adopted",
    from,
    previous: proposal(sid),
    proposal: proposal(from),
    ground: "sid"
  }, { _tag: "QuorumReached", proposal: proposal(from), supporters: new Set([sid, from]) })

const elects = (
  sid: bigint,
  at: number,
  leader: bigint,
  reason: (Output & { readonly _tag: "Elected" })["reason"],
  round = 1n
) =>
  step(sid, at, "election", { _tag: "FinalizeTimeout" }, {
    _tag: "Elected",
    vote: { ...proposal(leader), version: 0, electionEpoch: round, state: "LOOKING" },
    state: leader === sid ? "LEADING" : "FOLLOWING",
    reason
  })

const supporters = new Set([1n, 2n])
const quorum = { _tag: "Quorum", supporters, runnerUp: proposal(1n), ground: "sid" } as const
const joined = { _tag: "Joined", round: "Other", supporters } as const

const tell = (lines: ReadonlyArray<Trace.Line>, verbose = false) => TraceStory.tell(lines, { verbose }).join("\n")

describe("a story", () => {
  it("tells who won and why, who changed its mind, who was late, how long it took, and what came of it", () => {
    const lines = [
      starts(1n, 0), looks(1n, 1), starts(2n, 2), looks(2n, 3),
      changes(1n, 11, 2n),
      step(2n, 12, "election", { _tag: "FinalizeTimeout" }, {
        _tag: "QuorumReached",
        proposal: proposal(2n),
        supporters
      }),
      elects(1n, 211, 2n, quorum), elects(2n, 212, 2n, quorum),
      step(2n, 220, "leader", { _tag: "Started" }, { _tag: "EpochDecided", epoch: 7n, supporters }),
      step(2n, 230, "leader", { _tag: "AcceptedEpochStored" }, { _tag: "Activated", epoch: 7n, supporters }),
      starts(3n, 900), looks(3n, 901), elects(3n, 931, 2n, joined, 4n),
      step(2n, 2_000, "leader", { _tag: "HalfTick", at: 1 }, {
        _tag: "SteppedDown",
        reason: "QuorumLost",
        successor: null
      }),
      step(2n, 2_001, "election", { _tag: "LeaderLost" }),
      step(1n, 2_002, "learner", { _tag: "Disconnected" }, {
        _tag: "Left",
        reason: "ConnectionClosed",
        successor: null
      }),
      step(1n, 2_003, "election", { _tag: "LeaderLost" })
    ]
    assert.deepStrictEqual(tell(lines), [
      "01:00:00.000 server 1 starts",
      "01:00:00.002 server 2 starts",
      "01:00:00.211 election of server 2",
      "  why   server 2 won: histories are equal and its id is the highest, 2 against 1; 1, 2 agreed",
      "  minds server 1 changed its mind from server 1 to 2, because of server 2: " +
        "histories are equal and its id is higher",
      "  took  server 1: FOLLOWING in round 1 after 210 ms " +
        "(10 ms until the first vote, 0 ms until a quorum, 200 ms waiting for a better vote)",
      "        server 2: LEADING in round 1 after 209 ms (9 ms until a quorum, 200 ms waiting for a better vote)",
      "  late  server 3 began to look 690 ms after the first decision, and is FOLLOWING after 30 ms: " +
        "server 2 leads already: 1, 2 support it, and it says so itself",
      "  then  +9 ms server 2: chose epoch 7, higher than all that 1, 2 had accepted",
      "        +19 ms server 2: leads in epoch 7: 1, 2 accepted it, a quorum",
      "        +1789 ms server 2: leads no longer: those who answer are no quorum any more",
      "        +1791 ms server 1: left: the leader closed the connection, or its process is gone",
      "01:00:00.900 server 3 starts"
    ].join("\n"))
  })

  it("tells elections apart: by leader, by round, and where a leader was elected once more", () => {
    const twice = [
      looks(1n, 0), elects(1n, 1, 2n, quorum),
      step(1n, 2, "election", { _tag: "LeaderLost" }),
      looks(1n, 3), elects(1n, 4, 2n, quorum),
      looks(2n, 5), elects(2n, 6, 2n, quorum, 2n),
      looks(3n, 7), elects(3n, 8, 3n, quorum, 2n)
    ]
    const heads = tell(twice).split("\n").filter((line) => line.includes("election of"))
    assert.deepStrictEqual(heads.map((line) => line.slice(-21)), [
      " election of server 2",
      " election of server 2",
      " election of server 2",
      " election of server 3"
    ])
  })

  it("tells of who found nobody, and why it could not join", () => {
    const lines = [
      looks(1n, 0),
      step(1n, 5, "election", { _tag: "FinalizeTimeout" }, {
        _tag: "NotJoined",
        from: 2n,
        leader: 3n,
        reason: "LeaderNotHeard",
        supporters
      })
    ]
    assert.include(tell(lines), "01:00:00.000 server 1 looked, and decided for nobody\n  why   server 2 has server 3")
    assert.include(tell(lines), "it has not said itself that it leads; known to support it: 1, 2")
    assert.include(tell([...lines, starts(1n, 9), looks(1n, 10)]), "decided for nobody")
  })

  it("tells of gaps, and of the troubles of connections if asked", () => {
    const lines = [
      step(1n, 1, "connections", { _tag: "DialFailed", sid: 2n }, { _tag: "RedialLater", sid: 2n, failures: 3 }),
      step(1n, 2, "connections", { _tag: "Accepted", link: 1, sid: 1n, announced: [] }, {
        _tag: "Close",
        link: 1,
        sid: 1n,
        reason: "OwnSid",
        linger: false
      }),
      { _tag: "Lost", ms: 3, wall: 3_600_003, lines: 8 } as const
    ]
    assert.strictEqual(tell(lines), "01:00:00.003 8 lines are missing in a trace here")
    assert.deepStrictEqual(tell(lines, true).split("\n").slice(0, 2), [
      "01:00:00.001 server 1 could not connect with server 2, 3 times in a row",
      "01:00:00.002 server 1 let server 1 go: it calls itself by the id of this server: two servers have the same myid"
    ])
  })
})

describe("several traces", () => {
  it("are one by the wall clock, each in its own order whatever that does", () => {
    const at = (sid: bigint, wall: number): Trace.Step => ({ ...looks(sid, 0), wall })
    const merged = TraceStory.merge([
      [Trace.header, at(1n, 10), at(1n, 5), at(1n, 30)],
      [Trace.header, at(2n, 7), at(2n, 20)]
    ])
    const times = merged.flatMap((line) => (line._tag === "Step" ? [[line.sid, line.wall]] : []))
    assert.deepStrictEqual(times, [[2n, 7], [1n, 10], [1n, 5], [2n, 20], [1n, 30]])
  })

  it("tells what is known besides, each at its time, and first of what was at the same time", () => {
    const note = (at: number, text: string) => ({ wall: 3_600_000 + at, text })
    const notes = [note(0, "the power comes back"), note(5, "the network is cut")]
    assert.deepStrictEqual(TraceStory.tell([starts(1n, 0), starts(2n, 10)], { verbose: false, notes }), [
      "01:00:00.000 the power comes back",
      "01:00:00.000 server 1 starts",
      "01:00:00.005 the network is cut",
      "01:00:00.010 server 2 starts"
    ])
  })
})
