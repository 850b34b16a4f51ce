/**
 * Kerberos with real servers: ours proves itself where it dials, and who is nobody of the ensemble is kept out.
 */
import { assert, describe, it } from "@effect/vitest"
import { writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import * as Kdc from "../support/Kdc.ts"
import * as LoginConfig from "../support/LoginConfig.ts"
import * as Mixed from "../support/Mixed.ts"
import * as PeerProcess from "../support/PeerProcess.ts"
import * as Ports from "../support/Ports.ts"
import * as ZooCfg from "../support/ZooCfg.ts"
import * as ZooKeeperServer from "../support/ZooKeeperServer.ts"

const missing = await Kdc.missing()
if (missing !== undefined) console.warn(`Kerberos is not tested: ${missing}`)

const SERVICE = { "quorum.auth.kerberos.servicePrincipal": "zkquorum/_HOST" }

interface Principals {
  readonly server: string
  readonly learner: string
}

/** Writes a login configuration with a keytab for each of its principals. */
const login = async (kdc: Kdc.Kdc, cfg: ZooCfg.ZooCfg, { learner, server }: Principals): Promise<string> => {
  const section = async (name: string, principal: string) =>
    `${name} { com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true ` +
    `useTicketCache=false keyTab="${await kdc.keyTab(principal)}" principal="${principal}@${Kdc.REALM}"; };`
  const file = join(dirname(cfg.file), "jaas.conf")
  const sections = [await section("QuorumServer", server), await section("QuorumLearner", learner)]
  await writeFile(file, `${sections.join("\n")}\n`)
  return file
}

/** Two real servers that insist on Kerberos, and the configuration of ours with the largest id, which cannot. */
const ensemble = async () => {
  const kdc = await Kdc.start()
  const [first = "", second = "", third = ""] = Ports.hosts(3)
  const cfgs = await ZooCfg.write({
    members: [
      { sid: 1n, hosts: [first], keys: LoginConfig.keysOf("server") },
      { sid: 2n, hosts: [second], keys: LoginConfig.keysOf("server") },
      { sid: 3n, hosts: [third], electable: false, keys: LoginConfig.keysOf("learner") }
    ],
    keys: SERVICE
  })
  const startReal = async (sid: bigint, host: string) => {
    const file = await login(kdc, cfgs(sid), { server: `zkquorum/${host}`, learner: `learner/${host}` })
    const options = [`-Djava.security.auth.login.config=${file}`, `-Djava.security.krb5.conf=${kdc.conf}`]
    return ZooKeeperServer.start(cfgs(sid), options)
  }
  const startOurs = async (learner: string) => {
    const file = await login(kdc, cfgs(3n), { server: `zkquorum/${third}`, learner })
    return PeerProcess.start(cfgs(3n), ["--jaas", file], { KRB5_CONFIG: kdc.conf })
  }
  const startAll = async (learner: string) => {
    // One login configuration after another: they write to the same keytabs and database.
    const peer = await startOurs(learner)
    const one = await startReal(1n, first)
    return { peer, servers: [one, await startReal(2n, second)] }
  }
  return { startAll, third }
}

describe.skipIf(missing !== undefined)("GSSAPI", () => {
  it("two real servers that insist on it let ours in, and the three elect", async () => {
    const { startAll, third } = await ensemble()
    const { peer, servers } = await startAll(`learner/${third}`)
    const leader = await Mixed.serving(servers)
    await Mixed.holds(peer, "FOLLOWING", leader.sid)
    await PeerProcess.statusWhen(peer, "connected with both", ({ connections = [] }) =>
      connections.every(({ connected }) => connected))
    const authenticated = `Successfully authenticated learner: authenticationID=learner/${third}@`
    for (const server of servers) await server.waitForLog(new RegExp(authenticated.replaceAll(".", "\\.")))
    // Those with smaller ids may have dialled it first; that made no link.
    const { rejections = {} } = await peer.status()
    assert.isEmpty(Object.keys(rejections).filter((reason) => reason !== "AuthUnavailable"))
    assert.include(peer.child.stderr.lines.join("\n"), "with Kerberos this server authenticates")
  })

  it("a principal of a host that is none of the ensemble is refused, and ours says so", async () => {
    const { startAll } = await ensemble()
    const { peer, servers } = await startAll("learner/elsewhere")
    await Mixed.serving(servers)
    const status = await PeerProcess.statusWhen(peer, "it was refused", ({ rejections }) =>
      (rejections?.["AuthRefused"] ?? 0) > 0)
    for (const server of servers) {
      await server.waitForLog(/SASL authorization completed, learner\/elsewhere@.* is not authorized to connect/)
    }
    assert.strictEqual(status.leader, null)
    assert.isFalse(status.connections?.some(({ connected }) => connected))
    assert.include(peer.child.stderr.lines.join("\n"), "it did not accept our login")
  })
})
