/**
 * Peers as separate operating-system processes, each from its own `zoo.cfg`, told apart from what they print.
 */
import { assert, describe, it } from "@effect/vitest"
import { readFile, writeFile } from "node:fs/promises"
import * as Child from "./support/Child.ts"
import * as PeerProcess from "./support/PeerProcess.ts"
import * as Traces from "./support/Traces.ts"
import * as Transcript from "./support/Transcript.ts"
import * as ZooCfg from "./support/ZooCfg.ts"

const TEST_TIMEOUT_MS = 60_000

const sidsUpTo = (size: number): ReadonlyArray<bigint> => Array.from({ length: size }, (_, index) => BigInt(index + 1))

const cfgsOf = (size: number): Promise<ZooCfg.ZooCfgs> =>
  ZooCfg.write({ members: sidsUpTo(size).map((sid) => ({ sid })) })

/** Starts an ensemble of `size` and waits for its first leader. */
const settled = async (size: number) => {
  const cfgs = await cfgsOf(size)
  const peers = await Promise.all(sidsUpTo(size).map((sid) => PeerProcess.start(cfgs(sid))))
  const leader = await PeerProcess.agreement(peers)
  return { cfgs, peers, leader }
}

const peerOf = (peers: ReadonlyArray<PeerProcess.PeerProcess>, sid: bigint): PeerProcess.PeerProcess => {
  const found = peers.find((peer) => peer.sid === sid)
  if (found === undefined) throw new Error(`No peer ${sid}`)
  return found
}

const exceptFor = (peers: ReadonlyArray<PeerProcess.PeerProcess>, sid: bigint) =>
  peers.filter((peer) => peer.sid !== sid)

describe("electing", { timeout: TEST_TIMEOUT_MS }, () => {
  it("three processes agree on one leader", async () => {
    const { leader, peers } = await settled(3)
    for (const peer of peers) {
      const status = await peer.status()
      assert.strictEqual(status.sid, peer.sid)
      assert.strictEqual(status.leader, leader)
      assert.strictEqual(status.state, peer.sid === leader ? "LEADING" : "FOLLOWING")
    }
  })

  it.each([["zxid", "--last-zxid"], ["epoch", "--current-epoch"]])(
    "of two, the one with the higher %s leads in spite of its lower id",
    async (_, option) => {
      const cfgs = await cfgsOf(2)
      const peers = await Promise.all([PeerProcess.start(cfgs(1n), [option, "7"]), PeerProcess.start(cfgs(2n))])
      assert.strictEqual(await PeerProcess.agreement(peers), 1n)
    }
  )

  it.each([3, 5])("of %i processes the rest agree on another leader when the leader is killed", async (size) => {
    const { leader, peers } = await settled(size)
    const exit = await peerOf(peers, leader).kill("SIGKILL")
    assert.strictEqual(exit.signal, "SIGKILL")
    const next = await PeerProcess.agreement(exceptFor(peers, leader))
    assert.notStrictEqual(next, leader)
  })

  it("the last of three never elects itself", async () => {
    const { leader, peers } = await settled(3)
    const others = exceptFor(peers, leader)
    await peerOf(peers, leader).kill("SIGKILL")
    const next = await PeerProcess.agreement(others)
    const [last] = exceptFor(others, next)
    if (last === undefined) throw new Error("One is left")
    const from = last.events().length
    await peerOf(peers, next).kill("SIGKILL")
    await last.waitFor("looking", ({ event }) => event === "looking", from)
    const status = await last.status()
    assert.strictEqual(status.state, "LOOKING")
    assert.isUndefined(PeerProcess.standing(last))
  })

  it("a peer that comes back joins the sitting leader, and the others do not elect anew", async () => {
    const { cfgs, leader, peers } = await settled(3)
    const [gone, stayed] = exceptFor(peers, leader)
    if (gone === undefined || stayed === undefined) throw new Error("Two follow")
    const others = [stayed, peerOf(peers, leader)]
    await gone.kill("SIGKILL")
    const before = others.map(PeerProcess.lookings)
    const back = await PeerProcess.start(cfgs(gone.sid))
    assert.strictEqual(await PeerProcess.agreement([...others, back]), leader)
    for (const peer of others) assert.strictEqual((await peer.status()).leader, leader)
    assert.deepStrictEqual(others.map(PeerProcess.lookings), before)
  })
})

describe("commands", { timeout: TEST_TIMEOUT_MS }, () => {
  it("look makes a follower look again and find the same leader", async () => {
    const { leader, peers } = await settled(3)
    const [follower] = exceptFor(peers, leader)
    if (follower === undefined) throw new Error("Two follow")
    const from = follower.events().length
    follower.send("look")
    await follower.waitFor("looking", ({ event }) => event === "looking", from)
    const elected = await follower.waitFor("elected", ({ event }) => event === "elected", from)
    assert.strictEqual(elected.leader, leader)
    assert.strictEqual(elected.state, "FOLLOWING")
    assert.strictEqual(await PeerProcess.agreement(peers), leader)
  })

  it("stop ends a peer, which says so last", async () => {
    const cfgs = await cfgsOf(3)
    const peer = await PeerProcess.start(cfgs(1n))
    peer.send("stop")
    assert.deepStrictEqual(await Child.ended(peer.child), { code: 0, signal: null })
    assert.strictEqual(peer.events().at(-1)?.event, "stopped")
  })
})

describe("ending", { timeout: TEST_TIMEOUT_MS }, () => {
  it.each(["SIGTERM", "SIGINT"] as const)("%s ends a settled peer soon and cleanly", async (signal) => {
    const { leader, peers } = await settled(3)
    const start = performance.now()
    const exit = await peerOf(peers, leader).kill(signal)
    const elapsedMs = performance.now() - start
    // It takes far below a second; the bound leaves room for a machine that is busy with other things.
    assert.isBelow(elapsedMs, 5_000)
    assert.isNull(exit.signal)
    assert.notStrictEqual(await PeerProcess.agreement(exceptFor(peers, leader)), leader)
  })

  it("SIGTERM ends a peer that is still alone and looking", async () => {
    const cfgs = await cfgsOf(3)
    const peer = await PeerProcess.start(cfgs(1n))
    const start = performance.now()
    const exit = await peer.kill("SIGTERM")
    assert.isBelow(performance.now() - start, 5_000)
    assert.isNull(exit.signal)
  })
})

describe("a peer whose output nobody reads any more", { timeout: TEST_TIMEOUT_MS }, () => {
  it("stays in its ensemble", async () => {
    const { leader, peers } = await settled(3)
    const peer = peerOf(peers, leader)
    peer.child.closeStdout()
    const { stderr } = peer.child
    const from = stderr.lines.length
    for (const command of ["status", "look"] as const) peer.send(command)
    await Transcript.until("a new election", [stderr], PeerProcess.ELECTION_TIMEOUT_MS, () =>
      stderr.lines.slice(from).find((line) => line.includes("LEADING") || line.includes("FOLLOWING")))
    assert.isUndefined(peer.child.outcome())
    assert.isNull((await peer.kill("SIGTERM")).signal)
  })
})

describe("conclave elect", { timeout: TEST_TIMEOUT_MS }, () => {
  it("joins, prints the decision as one line of JSON and exits", async () => {
    const cfgs = await cfgsOf(3)
    const peers = await Promise.all([PeerProcess.start(cfgs(1n)), PeerProcess.start(cfgs(2n))])
    const leader = await PeerProcess.agreement(peers)
    const trace = Traces.fileOf(cfgs(3n))
    const args = ["elect", "--config", cfgs(3n).file, "--timeout", "20s", "--trace", trace]
    const elect = PeerProcess.command("elect 3", args)
    assert.deepStrictEqual(await Child.ended(elect, PeerProcess.ELECTION_TIMEOUT_MS), { code: 0, signal: null })
    assert.strictEqual(elect.stdout.lines.length, 1)
    const decision = PeerProcess.parse(elect.stdout.lines[0] ?? "")
    assert.strictEqual(decision.sid, 3n)
    assert.strictEqual(decision.state, "FOLLOWING")
    assert.strictEqual(decision.leader, leader)
    assert.isString(decision.reason)
    assert.isNumber(decision.elapsedMs)
    for (const field of ["zxid", "electionEpoch", "peerEpoch"] as const) assert.typeOf(decision[field], "bigint")
    assert.isAbove(Traces.check(trace), 0)
  })

  it("gives up after its timeout when no quorum answers", async () => {
    const cfgs = await cfgsOf(3)
    const elect = PeerProcess.command("elect 3", ["elect", "--config", cfgs(3n).file, "--timeout", "1s"])
    const exit = await Child.ended(elect)
    assert.isNull(exit.signal)
    assert.notStrictEqual(exit.code, 0)
    assert.deepStrictEqual(elect.stdout.lines, [])
  })
})

describe("a zoo.cfg that cannot be used", { timeout: TEST_TIMEOUT_MS }, () => {
  it.each([
    ["a port that is no number", "server.9=127.0.0.1:2888:second", "server.9=127.0.0.1:2888:second"],
    ["a server id that is no number", "server.nine=127.0.0.1:2888:3888", "server.nine"],
    ["a tick that is no number", "tickTime=often", "tickTime=often"],
    ["a switch that is neither true nor false", "conclave.electable=perhaps", "conclave.electable=perhaps"]
  ])("%s: the line is on standard error and the exit code is not 0", async (_, line, expected) => {
    const cfgs = await cfgsOf(3)
    const { file } = cfgs(1n)
    await writeFile(file, `${await readFile(file, "utf8")}${line}\n`)
    const peer = PeerProcess.command("peer 1", ["peer", "--config", file, "--control"])
    const exit = await Child.ended(peer)
    assert.isNull(exit.signal)
    assert.notStrictEqual(exit.code, 0)
    assert.include(peer.stderr.lines.join("\n"), expected)
    assert.deepStrictEqual(peer.stdout.lines, [])
  })

  it("an id in myid that is no member is named", async () => {
    const cfgs = await cfgsOf(3)
    await writeFile(`${cfgs(1n).dataDir}/myid`, "424242\n")
    const peer = PeerProcess.command("peer 424242", ["peer", "--config", cfgs(1n).file, "--control"])
    const exit = await Child.ended(peer)
    assert.isNull(exit.signal)
    assert.notStrictEqual(exit.code, 0)
    assert.include(peer.stderr.lines.join("\n"), "424242")
  })
})
