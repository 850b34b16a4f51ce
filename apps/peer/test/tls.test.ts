/**
 * Peers that speak TLS, as processes: from their files, and on the way from plain connections to TLS.
 */
import { assert, describe, it } from "@effect/vitest"
import { readFile, writeFile } from "node:fs/promises"
import * as Child from "./support/Child.ts"
import * as PeerProcess from "./support/PeerProcess.ts"
import * as Tls from "./support/Tls.ts"
import * as Transcript from "./support/Transcript.ts"
import * as ZooCfg from "./support/ZooCfg.ts"

const TEST_TIMEOUT_MS = 60_000

const members = [{ sid: 1n }, { sid: 2n }, { sid: 3n }]

describe("peers with TLS", { timeout: TEST_TIMEOUT_MS }, () => {
  it("elect, and tell of one whose certificate is for another host", async () => {
    const [good, bad] = await Promise.all([Tls.stores(), Tls.stores({ names: ["DNS:elsewhere"] })])
    const keys = { sslQuorum: true, ...good.pkcs12 }
    const cfgs = await ZooCfg.write({ members, keys })
    await ZooCfg.change(cfgs(3n), bad.pkcs12)
    const peers = await Promise.all([1n, 2n, 3n].map((sid) => PeerProcess.start(cfgs(sid))))
    const [one, two] = peers
    if (one === undefined || two === undefined) throw new Error("Three peers were started")
    assert.strictEqual(await PeerProcess.agreement([one, two]), 2n)
    const { rejections } = await PeerProcess.statusWhen(two, "server 3 is refused", ({ rejections }) =>
      (rejections?.["WrongName"] ?? 0) > 0)
    assert.deepStrictEqual(Object.keys(rejections ?? {}), ["WrongName"])
    const said = (await one.status()).connections?.find(({ sid }) => sid === 3n)
    assert.notStrictEqual(said?.connected, true)
    for (const { child } of peers) {
      for (const line of [...child.stdout.lines, ...child.stderr.lines]) assert.notInclude(line, "correct horse")
    }
  })

  it("are moved from plain to TLS, one by one, and two always have a leader", async () => {
    const { pem } = await Tls.stores()
    const cfgs = await ZooCfg.write({ members })
    const peers = new Map<bigint, PeerProcess.PeerProcess>()
    for (const { sid } of members) peers.set(sid, await PeerProcess.start(cfgs(sid)))
    const all = () => Array.from(peers.values())
    await PeerProcess.agreement(all())
    for (const step of [{ portUnification: true, ...pem }, { sslQuorum: true }, { portUnification: null }]) {
      for (const { sid } of members) {
        await peers.get(sid)?.kill("SIGTERM")
        peers.delete(sid)
        await PeerProcess.agreement(all())
        await ZooCfg.change(cfgs(sid), step)
        peers.set(sid, await PeerProcess.start(cfgs(sid)))
        await PeerProcess.agreement(all())
      }
    }
    for (const peer of all()) {
      const { connections = [] } = await PeerProcess.statusWhen(peer, "both others connected", ({ connections = [] }) =>
        connections.filter(({ connected }) => connected).length === 2)
      assert.strictEqual(connections.length, 2)
    }
  })

  it("use new files when asked to, and keep their connections", async () => {
    const [{ pem }, other] = await Promise.all([Tls.stores(), Tls.stores()])
    const keys = { portUnification: true, sslQuorumReloadCertFiles: true, ...pem }
    const cfgs = await ZooCfg.write({ members, keys })
    const peers = await Promise.all([1n, 2n].map((sid) => PeerProcess.start(cfgs(sid))))
    const leader = await PeerProcess.agreement(peers)
    const location = (stores: ZooCfg.Keys) => `${stores["ssl.quorum.keyStore.location"]}`
    await writeFile(location(pem), await readFile(location(other.pem)))
    for (const { child } of peers) {
      await Transcript.until("new files are in use", [child.stderr], TEST_TIMEOUT_MS / 2, () =>
        child.stderr.lines.find((line) => line.includes("new key or certificate files are in use")))
    }
    assert.strictEqual(await PeerProcess.agreement(peers), leader)
    assert.deepStrictEqual(peers.map(PeerProcess.lookings), [1, 1])
  })

  it("do not start with a store that cannot be opened, and say why", async () => {
    const { pkcs12 } = await Tls.stores()
    const keys = { sslQuorum: true, ...pkcs12, "ssl.quorum.keyStore.password": "another secret" }
    const cfgs = await ZooCfg.write({ members, keys })
    const child = PeerProcess.command("peer", ["peer", "--config", cfgs(1n).file])
    assert.strictEqual((await Child.ended(child)).code, 2)
    const said = child.stderr.lines.join("\n")
    assert.match(said, /^conclave: .*key\.p12: the password does not open it; correct the store's password, or/)
    assert.notInclude(said, "another secret")
  })
})
