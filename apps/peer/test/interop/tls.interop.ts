/**
 * TLS between real servers and ours: alone, beside plain connections on one port, and on the way from one to the other.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Mixed from "../support/Mixed.ts"
import * as PeerProcess from "../support/PeerProcess.ts"
import * as Tls from "../support/Tls.ts"
import * as ZooCfg from "../support/ZooCfg.ts"
import * as ZooKeeperServer from "../support/ZooKeeperServer.ts"

const TLS_ONLY = { sslQuorum: true }
const UNIFIED_DIALS_PLAIN = { sslQuorum: false, portUnification: true }
const UNIFIED_DIALS_TLS = { sslQuorum: true, portUnification: true }

// Nine restarts, six of them of a JVM, with an election after each.
const ROLLING_TIMEOUT_MS = 400_000

describe("TLS alone", () => {
  it.each([
    ["highest", 3n, [1n, 2n]],
    ["lowest", 1n, [2n, 3n]]
  ])("ours, with the %s id, elects with two real servers", async (_, ours, real) => {
    const { pem, pkcs12 } = await Tls.stores()
    const cfgs = await ZooCfg.write({
      members: [
        ...real.map((sid) => ({ sid, keys: { ...TLS_ONLY, ...pem } })),
        { sid: ours, electable: false, keys: { ...TLS_ONLY, ...pkcs12 } }
      ]
    })
    const [servers, peers] = await Promise.all([Mixed.startReal(cfgs, ...real), Mixed.startOurs(cfgs, ours)])
    const leader = await Mixed.serving(servers)
    for (const peer of peers) await Mixed.holds(peer, "FOLLOWING", leader.sid)
    for (const server of servers) {
      assert.deepStrictEqual(server.complaints(), [])
      // Who has the larger id dials: we dialled both, or both dialled us, and then the larger of them the other.
      if (server.sid === real[0]) await server.waitForLog(/Accepted TLS connection from /)
    }
    for (const peer of peers) assert.deepStrictEqual((await peer.status()).rejections, {})
  })

  it("real servers and ours use the same stores, as keytool makes them", async () => {
    const keys = { ...TLS_ONLY, ...await Tls.keytoolStores() }
    const cfgs = await ZooCfg.write({ members: [{ sid: 1n }, { sid: 2n }, { sid: 3n, electable: false }], keys })
    const [servers, peers] = await Promise.all([Mixed.startReal(cfgs, 1n, 2n), Mixed.startOurs(cfgs, 3n)])
    const leader = await Mixed.serving(servers)
    for (const peer of peers) await Mixed.holds(peer, "FOLLOWING", leader.sid)
    for (const server of servers) await server.waitForLog(/Accepted TLS connection from /)
  })

  it("neither side talks to one whose certificate has expired", async () => {
    const [good, expired] = await Promise.all([Tls.stores(), Tls.stores({ from: -3, to: -1 })])
    const cfgs = await ZooCfg.write({
      members: [
        { sid: 1n, keys: { ...TLS_ONLY, ...good.pem } },
        { sid: 2n, keys: { ...TLS_ONLY, ...good.pem } },
        { sid: 3n, electable: false, keys: { ...TLS_ONLY, ...expired.pem } },
        { sid: 4n, electable: false, keys: { ...TLS_ONLY, ...good.pem } },
        { sid: 5n, electable: false, keys: { ...TLS_ONLY, ...good.pem } }
      ]
    })
    const [servers, peers] = await Promise.all([Mixed.startReal(cfgs, 1n, 2n), Mixed.startOurs(cfgs, 3n, 4n)])
    const [three, four] = peers
    if (three === undefined || four === undefined) throw new Error("Two peers were started")
    // Three of five are needed, and those are the two real ones and our good one.
    await Promise.all(servers.map((server) => server.waitForLog(server.sid === 2n ? Mixed.LEADING : Mixed.FOLLOWING)))
    await Mixed.holds(four, "FOLLOWING", 2n)
    await PeerProcess.statusWhen(four, "server 3 is refused", ({ rejections }) => (rejections?.["Expired"] ?? 0) > 0)
    for (const server of servers) await server.waitForLog(/CertificateExpiredException|certificate_expired|expired/i)
    const status = await three.status()
    assert.deepStrictEqual((status.connections ?? []).filter(({ connected }) => connected), [])
    const { failure } = PeerProcess.connectionWith(status, 2n)
    assert.strictEqual(failure?.reason, "Insecure")
    assert.match(failure?.message ?? "", /: we dialled 127\.0\.0\.1:\d+, which refused us: certificate \w+; see/)
  })

  it("ours does not accept a real server whose certificate is for another host", async () => {
    const [good, bad] = await Promise.all([Tls.stores(), Tls.stores({ names: ["IP:127.0.0.9", "DNS:elsewhere"] })])
    const cfgs = await ZooCfg.write({
      members: [
        // Real servers would not accept it either, if they looked.
        { sid: 1n, keys: { ...TLS_ONLY, ...good.pem, "ssl.quorum.hostnameVerification": false } },
        { sid: 2n, keys: { ...TLS_ONLY, ...bad.pem, "ssl.quorum.hostnameVerification": false } },
        { sid: 3n, electable: false, keys: { ...TLS_ONLY, ...good.pem } }
      ]
    })
    const [servers, [peer]] = await Promise.all([Mixed.startReal(cfgs, 1n, 2n), Mixed.startOurs(cfgs, 3n)])
    const leader = await Mixed.serving(servers)
    if (peer === undefined) throw new Error("One peer was started")
    const status = await PeerProcess.statusWhen(peer, "server 2 is refused", ({ connections = [] }) =>
      connections.some(({ failure, sid }) => sid === 2n && failure?.reason === "Insecure"))
    const { connected, failure } = PeerProcess.connectionWith(status, 2n)
    assert.strictEqual(leader.sid, 2n)
    assert.isFalse(connected)
    const shown = /which showed a certificate for elsewhere, 127\.0\.0\.9, but .* must be at 127\.0\.0\.1;/
    assert.match(failure?.message ?? "", shown)
    assert.isTrue(PeerProcess.connectionWith(status, 1n).connected)
  })
})

describe("ssl.quorum.clientAuth", () => {
  it.each(["want", "none"])("%s lets in a real server that has no certificate", async (clientAuth) => {
    const { pem } = await Tls.stores()
    const { "ssl.quorum.trustStore.location": trustStore = "" } = pem
    const cfgs = await ZooCfg.write({
      members: [
        { sid: 1n, keys: pem },
        { sid: 2n, keys: pem },
        { sid: 3n, electable: false, keys: pem },
        // It has the largest id, so it dials everybody; as an observer it need not be dialled.
        { sid: 4n, observer: true, keys: { "ssl.quorum.trustStore.location": trustStore } }
      ],
      keys: { ...TLS_ONLY, "ssl.quorum.clientAuth": clientAuth }
    })
    const [servers, [peer]] = await Promise.all([Mixed.startReal(cfgs, 1n, 2n, 4n), Mixed.startOurs(cfgs, 3n)])
    if (peer === undefined) throw new Error("One peer was started")
    const leader = await Mixed.serving(servers.filter(({ sid }) => sid !== 4n))
    await Mixed.holds(peer, "FOLLOWING", leader.sid)
    await servers.find(({ sid }) => sid === 4n)?.waitForMode("observer")
    const status = await PeerProcess.statusWhen(peer, "connected with all", ({ connections = [] }) =>
      connections.every(({ connected }) => connected))
    assert.strictEqual(PeerProcess.connectionWith(status, 4n).dialedBy, "Them")
    assert.deepStrictEqual(status.rejections, {})
  })

  it("need, which it is by default, keeps such a server out", async () => {
    const { pem } = await Tls.stores()
    const { "ssl.quorum.trustStore.location": trustStore = "" } = pem
    const cfgs = await ZooCfg.write({
      members: [
        { sid: 1n, electable: false, keys: pem },
        { sid: 2n, keys: { "ssl.quorum.trustStore.location": trustStore } }
      ],
      keys: TLS_ONLY
    })
    const [peer] = await Promise.all([PeerProcess.start(cfgs(1n)), Mixed.startReal(cfgs, 2n)])
    const status = await PeerProcess.statusWhen(peer, "it is refused", ({ rejections }) =>
      (rejections?.["NoCertificate"] ?? 0) > 0)
    assert.isFalse(PeerProcess.connectionWith(status, 2n).connected)
  })
})

describe("TLS and plain connections on one port", () => {
  it.each([
    ["dials plain", "lowest", 1n, [2n, 3n], UNIFIED_DIALS_PLAIN],
    ["dials plain", "highest", 3n, [1n, 2n], UNIFIED_DIALS_PLAIN],
    ["dials TLS", "lowest", 1n, [2n, 3n], UNIFIED_DIALS_TLS],
    ["dials TLS", "highest", 3n, [1n, 2n], UNIFIED_DIALS_TLS]
  ])("ours, which %s and has the %s id, elects with a real server of either kind", async (_, __, ours, real, mode) => {
    const { pem } = await Tls.stores()
    const cfgs = await ZooCfg.write({
      members: [
        ...real.map((sid, index) => ({
          sid,
          keys: { ...(index === 0 ? UNIFIED_DIALS_TLS : UNIFIED_DIALS_PLAIN), ...pem }
        })),
        { sid: ours, electable: false, keys: { ...mode, ...pem } }
      ]
    })
    const [servers, peers] = await Promise.all([Mixed.startReal(cfgs, ...real), Mixed.startOurs(cfgs, ours)])
    const leader = await Mixed.serving(servers)
    for (const peer of peers) await Mixed.holds(peer, "FOLLOWING", leader.sid)
    const accepted = mode.sslQuorum ? /Accepted TLS connection from / : /Accepted plaintext connection from /
    if (ours === 3n) await servers[0]?.waitForLog(accepted)
    for (const server of servers) assert.deepStrictEqual(server.complaints(), [])
  })
})

describe("a rolling restart", () => {
  it("moves two real servers and ours from plain to TLS, with a leader after every step", async () => {
    const { pem } = await Tls.stores()
    const cfgs = await ZooCfg.write({ members: [{ sid: 1n }, { sid: 2n }, { sid: 3n, electable: false }] })
    const servers = new Map((await Mixed.startReal(cfgs, 1n, 2n)).map((server) => [server.sid, server]))
    let [peer] = await Mixed.startOurs(cfgs, 3n)
    const haveLeader = async () => {
      const leader = await Mixed.serving(Array.from(servers.values()))
      if (peer === undefined) throw new Error("One peer was started")
      await Mixed.holds(peer, "FOLLOWING", leader.sid)
    }
    await haveLeader()
    const steps = [{ portUnification: true, ...pem }, { sslQuorum: true }, { portUnification: null }]
    for (const step of steps) {
      for (const sid of [3n, 2n, 1n]) {
        await (sid === 3n ? peer?.kill("SIGTERM") : servers.get(sid)?.kill())
        await ZooCfg.change(cfgs(sid), step)
        if (sid === 3n) peer = await PeerProcess.start(cfgs(3n))
        else servers.set(sid, await ZooKeeperServer.start(cfgs(sid)))
        await haveLeader()
      }
    }
    for (const server of servers.values()) {
      assert.deepStrictEqual(server.complaints(), [])
      await server.waitForLog(/Accepted TLS connection from /)
    }
  }, ROLLING_TIMEOUT_MS)
})
