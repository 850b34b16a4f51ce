/**
 * Kerberos with real servers: each side proves itself to the other, whoever dials; and who is nobody of the ensemble is
 * kept out.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Kdc from "../support/Kdc.ts"
import * as LoginConfig from "../support/LoginConfig.ts"
import * as Mixed from "../support/Mixed.ts"
import * as PeerProcess from "../support/PeerProcess.ts"
import * as Ports from "../support/Ports.ts"
import * as ZooCfg from "../support/ZooCfg.ts"
import * as ZooKeeperServer from "../support/ZooKeeperServer.ts"

const missing = await Kdc.missing()
if (missing !== undefined) console.warn(`Kerberos is not tested: ${missing}`)

/** Three servers, each at a host of its own, that all insist on Kerberos. */
const ensemble = async (ours: ReadonlyArray<bigint>) => {
  const kdc = await Kdc.start()
  const hosts = Ports.hosts(3)
  const members = hosts.map((host, index) => {
    const sid = BigInt(index + 1)
    return { sid, hosts: [host], ...(ours.includes(sid) && { electable: false }) }
  })
  const cfgs = await ZooCfg.write({ members, keys: { ...LoginConfig.keysOf("server"), ...LoginConfig.SERVICE } })
  const hostOf = (sid: bigint) => hosts[Number(sid) - 1] ?? ""
  const login = (sid: bigint, learner = `learner/${hostOf(sid)}`) =>
    LoginConfig.writeKerberos(kdc, cfgs(sid), { ...LoginConfig.principalsOf(hostOf(sid)), learner })
  const real = async (sid: bigint, file: string) =>
    ZooKeeperServer.start(cfgs(sid), [
      `-Djava.security.auth.login.config=${file}`,
      `-Djava.security.krb5.conf=${kdc.conf}`
    ])
  const peer = async (sid: bigint, file: string) => PeerProcess.start(cfgs(sid), ["--jaas", file], kdc.env)
  return { hostOf, login, peer, real }
}

const isConnectedWithBoth = ({ connections = [] }: PeerProcess.PeerEvent) =>
  connections.every(({ connected }) => connected)

describe.skipIf(missing !== undefined)("GSSAPI, required of all", () => {
  it.each([
    ["highest", 3n, [1n, 2n]],
    ["middle", 2n, [1n, 3n]],
    ["lowest", 1n, [2n, 3n]]
  ] as const)("two real servers and ours, with the %s id, elect", async (_, ours, [first, second]) => {
    const { hostOf, login, peer: start, real } = await ensemble([ours])
    const [file, ...files] = [await login(ours), await login(first), await login(second)]
    const [peer, ...servers] = await Promise.all([
      start(ours, file),
      real(first, files[0] ?? ""),
      real(second, files[1] ?? "")
    ])
    const leader = await Mixed.serving(servers)
    await Mixed.holds(peer, "FOLLOWING", leader.sid)
    const { rejections } = await PeerProcess.statusWhen(peer, "connected with both", isConnectedWithBoth)
    assert.deepStrictEqual(rejections, {})
    const authenticated = new RegExp(`Successfully authenticated learner: authenticationID=learner/${hostOf(ours)}@`)
    for (const server of servers) {
      // Whoever has the larger id has dialled.
      if (server.sid < ours) await server.waitForLog(authenticated)
      assert.deepStrictEqual(server.complaints(), [])
    }
  })

  it("a real server and two of ours elect", async () => {
    const { login, peer, real } = await ensemble([1n, 3n])
    const files = [await login(1n), await login(2n), await login(3n)]
    const [one, server, third] = await Promise.all([
      peer(1n, files[0] ?? ""),
      real(2n, files[1] ?? ""),
      peer(3n, files[2] ?? "")
    ])
    await server.waitForLog(Mixed.LEADING)
    for (const ours of [one, third]) {
      await Mixed.holds(ours, "FOLLOWING", 2n)
      const { rejections } = await PeerProcess.statusWhen(ours, "connected with both", isConnectedWithBoth)
      assert.deepStrictEqual(rejections, {})
    }
  })

  it("ours, with a principal of no host of the ensemble, is refused by real ones, and says so", async () => {
    const { login, peer: start, real } = await ensemble([3n])
    const files = [await login(1n), await login(2n), await login(3n, "learner/elsewhere")]
    const [one, two, peer] = await Promise.all([
      real(1n, files[0] ?? ""),
      real(2n, files[1] ?? ""),
      start(3n, files[2] ?? "")
    ])
    await Mixed.serving([one, two])
    const status = await PeerProcess.statusWhen(peer, "it was refused", ({ rejections }) =>
      (rejections?.["AuthRefused"] ?? 0) > 0)
    for (const server of [one, two]) {
      await server.waitForLog(/SASL authorization completed, learner\/elsewhere@.* is not authorized to connect/)
    }
    assert.strictEqual(status.leader, null)
    assert.isFalse(status.connections?.some(({ connected }) => connected))
    assert.include(peer.child.stderr.lines.join("\n"), "it did not accept our login")
  })

  it.each([
    ["of no host of the ensemble", "learner/elsewhere", /learner\/elsewhere@\S+ is of elsewhere, which is/],
    // Real ones of this version would let it in: CVE-2023-44981.
    ["without a host", "eve", /eve@\S+ is no principal of three parts/]
  ])("a real one, with a principal %s, is refused by ours, and both say so", async (_, learner, problem) => {
    const { login, peer: start, real } = await ensemble([1n])
    const files = [await login(1n), await login(2n, learner)]
    const [peer, server] = await Promise.all([start(1n, files[0] ?? ""), real(2n, files[1] ?? "")])
    await server.waitForLog(/Authentication failed against server/)
    const status = await PeerProcess.statusWhen(peer, "it refused", ({ rejections }) =>
      (rejections?.["WrongCredentials"] ?? 0) > 0)
    assert.isFalse(PeerProcess.connectionWith(status, 2n).connected)
    assert.strictEqual(status.leader, null)
    assert.match(peer.child.stderr.lines.join("\n"), problem)
  })
})
