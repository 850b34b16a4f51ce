/**
 * Peers as separate processes that authenticate to each other, with passwords from files.
 */
import { assert, describe, it } from "@effect/vitest"
import { writeFile } from "node:fs/promises"
import * as Child from "./support/Child.ts"
import * as LoginConfig from "./support/LoginConfig.ts"
import * as PeerProcess from "./support/PeerProcess.ts"
import * as ZooCfg from "./support/ZooCfg.ts"

const TEST_TIMEOUT_MS = 60_000

const three = (keys: ZooCfg.Keys): Promise<ZooCfg.ZooCfgs> =>
  ZooCfg.write({ members: [{ sid: 1n }, { sid: 2n }, { sid: 3n }], keys })

const start = async (cfg: ZooCfg.ZooCfg, password?: string): Promise<PeerProcess.PeerProcess> =>
  PeerProcess.start(cfg, ["--jaas", await LoginConfig.write(cfg, password)])

/** Everything a process has printed. */
const printed = ({ child: { stderr, stdout } }: PeerProcess.PeerProcess) => [...stdout.lines, ...stderr.lines]

describe("SASL", { timeout: TEST_TIMEOUT_MS }, () => {
  it("three peers that all insist on it elect a leader, and again without it", async () => {
    const cfgs = await three(LoginConfig.keysOf("server"))
    const peers = await Promise.all([1n, 2n, 3n].map((sid) => start(cfgs(sid))))
    const leader = await PeerProcess.agreement(peers)
    // Who is in sync with it has the same history as the others, so that the higher id wins.
    await Promise.all(peers.map((peer) => PeerProcess.activated(peer)))
    for (const peer of peers) assert.deepStrictEqual((await peer.status()).rejections, {})
    await peers.find(({ sid }) => sid === leader)?.kill("SIGKILL")
    const others = peers.filter(({ sid }) => sid !== leader)
    assert.strictEqual(await PeerProcess.agreement(others), others[1]?.sid)
  })

  it("who has a wrong password stays out, is told of on both sides, and disturbs nobody", async () => {
    const cfgs = await three(LoginConfig.keysOf("server"))
    const [one, two, third] = await Promise.all([start(cfgs(1n)), start(cfgs(2n)), start(cfgs(3n), "guess")])
    assert.strictEqual(await PeerProcess.agreement([one, two]), 2n)
    const refused = await PeerProcess.statusWhen(third, "it was refused", ({ rejections }) =>
      (rejections?.["AuthRefused"] ?? 0) > 1)
    assert.strictEqual(refused.leader, null)
    await PeerProcess.statusWhen(one, "it refused", ({ rejections }) => (rejections?.["WrongCredentials"] ?? 0) > 0)
    assert.strictEqual(PeerProcess.connectionWith(await one.status(), 3n).connected, false)
    assert.isTrue(printed(one).some((line) => line.includes("as server 3: user \"alice\" gave a wrong password")))
    assert.isTrue(printed(third).some((line) => line.includes("with server 1: it did not accept our login")))
    for (const line of [one, two, third].flatMap(printed)) {
      assert.isFalse(line.includes("guess") || line.includes(LoginConfig.PASSWORD), line)
    }
  })

  it("a plain peer has no vote where all must authenticate", async () => {
    const members = [{ sid: 1n, keys: LoginConfig.keysOf("server") }, { sid: 2n }]
    const cfgs = await ZooCfg.write({ members })
    const [one, two] = await Promise.all([start(cfgs(1n)), PeerProcess.start(cfgs(2n))])
    const status = await PeerProcess.statusWhen(one, "it refused", ({ rejections }) =>
      (rejections?.["Unauthenticated"] ?? 0) > 0)
    assert.deepStrictEqual([status.leader, (await two.status()).leader], [null, null])
  })

  it("takes the file from the environment, as a JVM would", async () => {
    const cfgs = await three(LoginConfig.keysOf("enabled"))
    const file = await LoginConfig.write(cfgs(1n))
    const env = { JVMFLAGS: `-Djava.security.auth.login.config=${file}` }
    const elect = PeerProcess.command("elect 1", ["elect", "--config", cfgs(1n).file, "--timeout", "100ms"], env)
    assert.deepStrictEqual((await Child.ended(elect)).code, 124)
  })

  it.each([
    ["that is not there", "", 1, "there is no such file"],
    ["that lacks a section", "QuorumLearner {};", 1, "Failed to initialize authentication mechanism using SASL: "]
  ])("does not start with a file %s", async (_, text, code, problem) => {
    const cfgs = await three(LoginConfig.keysOf("enabled"))
    const file = `${cfgs(1n).dataDir}/jaas.conf`
    if (text !== "") await writeFile(file, text)
    const peer = PeerProcess.command("peer 1", ["peer", "--config", cfgs(1n).file, "--jaas", file, "--control"])
    assert.strictEqual((await Child.ended(peer)).code, code)
    assert.include(peer.stderr.lines.join("\n"), problem)
    assert.deepStrictEqual(peer.stdout.lines, [])
  })
})
