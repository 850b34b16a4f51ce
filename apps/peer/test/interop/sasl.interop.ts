/**
 * SASL with real servers: each side proves itself to the other, whoever dials; and who cannot is kept out.
 */
import { assert, describe, it } from "@effect/vitest"
import * as LoginConfig from "../support/LoginConfig.ts"
import * as Mixed from "../support/Mixed.ts"
import * as PeerProcess from "../support/PeerProcess.ts"
import * as ZooCfg from "../support/ZooCfg.ts"
import * as ZooKeeperServer from "../support/ZooKeeperServer.ts"

const startReal = async (cfg: ZooCfg.ZooCfg, password?: string) =>
  ZooKeeperServer.start(cfg, [`-Djava.security.auth.login.config=${await LoginConfig.write(cfg, password)}`])

const startOurs = async (cfg: ZooCfg.ZooCfg, password?: string) =>
  PeerProcess.start(cfg, ["--jaas", await LoginConfig.write(cfg, password)])

const AUTHENTICATED = /Successfully completed the authentication using SASL\. /

const write = (ours: bigint, real: ReadonlyArray<bigint>, step: "enabled" | "learner" | "server") =>
  ZooCfg.write({
    members: [...real.map((sid) => ({ sid })), { sid: ours, electable: false }],
    keys: LoginConfig.keysOf(step)
  })

describe("DIGEST-MD5, required of all", () => {
  it.each([["highest", 3n, [1n, 2n]], ["lowest", 1n, [2n, 3n]]])(
    "two real servers and ours, with the %s id, elect and find nothing to complain about",
    async (_, ours, real) => {
      const cfgs = await write(ours, real, "server")
      const [peer, ...servers] = await Promise.all([
        startOurs(cfgs(ours)),
        ...real.map((sid) => startReal(cfgs(sid)))
      ])
      const leader = await Mixed.serving(servers)
      await Mixed.holds(peer, "FOLLOWING", leader.sid)
      const status = await peer.status()
      assert.deepStrictEqual(status.rejections, {})
      for (const sid of real) assert.isTrue(PeerProcess.connectionWith(status, sid).connected)
      for (const server of servers) {
        await server.waitForLog(AUTHENTICATED)
        assert.deepStrictEqual(server.complaints(), [])
        assert.isEmpty(server.warnings().filter(({ text }) => text.includes("SASL")))
      }
    }
  )

  it.each([["highest", 3n, [1n, 2n]], ["lowest", 1n, [2n, 3n]]])(
    "ours, with the %s id and a wrong password, is refused by the real ones, and says so",
    async (_, ours, real) => {
      const cfgs = await write(ours, real, "server")
      const [peer, ...servers] = await Promise.all([
        startOurs(cfgs(ours), "wrong"),
        ...real.map((sid) => startReal(cfgs(sid)))
      ])
      await Mixed.serving(servers)
      await PeerProcess.statusWhen(peer, "it was refused", ({ rejections }) => (rejections?.["AuthRefused"] ?? 0) > 0)
      for (const server of servers) await server.waitForLog(/Failed to authenticate using SASL/)
      if (ours === 3n) {
        // Nobody dials the highest id for good, so it stays alone.
        assert.strictEqual((await peer.status()).leader, null)
      }
    }
  )

  it("a real one with a wrong password is refused by ours, and both say so", async () => {
    const cfgs = await write(1n, [2n, 3n], "server")
    const [peer, server] = await Promise.all([startOurs(cfgs(1n)), startReal(cfgs(2n), "wrong")])
    await server.waitForLog(/Authentication failed against server/)
    await PeerProcess.statusWhen(peer, "it refused", ({ rejections }) => (rejections?.["WrongCredentials"] ?? 0) > 0)
    assert.strictEqual(PeerProcess.connectionWith(await peer.status(), 2n).connected, false)
    const printed = peer.child.stderr.lines.join("\n")
    assert.include(printed, "as server 2: user \"alice\" gave a wrong password")
    assert.strictEqual((await peer.status()).leader, null)
  })

  it("a plain peer of ours is refused by a real one", async () => {
    const cfgs = await ZooCfg.write({
      members: [{ sid: 1n, keys: LoginConfig.keysOf("server") }, { sid: 2n, electable: false }]
    })
    const [server] = await Promise.all([startReal(cfgs(1n)), PeerProcess.start(cfgs(2n))])
    await server.waitForLog(/Learner not trying to authenticate and authentication is required/)
  })
})

describe("a roll-out, step by step", () => {
  // Each side is a step ahead of the other in turn; "off" has no key and no file.
  const steps = [
    ["off", "enabled"],
    ["enabled", "off"],
    ["enabled", "enabled"],
    ["enabled", "learner"],
    ["learner", "enabled"],
    ["learner", "server"],
    ["server", "learner"]
  ] as const
  it.each(steps)("real servers %s, ours %s: they elect", async (theirs, ours) => {
    const keysOf = (step: typeof theirs | typeof ours) => (step === "off" ? {} : LoginConfig.keysOf(step))
    const cfgs = await ZooCfg.write({
      members: [
        { sid: 1n, keys: keysOf(theirs) },
        { sid: 2n, electable: false, keys: keysOf(ours) },
        { sid: 3n, keys: keysOf(theirs) }
      ]
    })
    const real = (sid: bigint) => (theirs === "off" ? ZooKeeperServer.start(cfgs(sid)) : startReal(cfgs(sid)))
    const [peer, ...servers] = await Promise.all([
      ours === "off" ? PeerProcess.start(cfgs(2n)) : startOurs(cfgs(2n)),
      real(1n),
      real(3n)
    ])
    const leader = await Mixed.serving(servers)
    await Mixed.holds(peer, "FOLLOWING", leader.sid)
    // One has the smaller id than ours and one the larger, so both have dialled and both were dialled.
    await PeerProcess.statusWhen(peer, "connected with both", ({ connections = [] }) =>
      connections.every(({ connected }) => connected))
    assert.deepStrictEqual((await peer.status()).rejections, {})
  })
})
