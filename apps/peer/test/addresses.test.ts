/**
 * Ensembles whose servers have several addresses, or IPv6 addresses, as separate processes.
 */
import { assert, describe, it } from "@effect/vitest"
import * as PeerProcess from "./support/PeerProcess.ts"
import * as Ports from "./support/Ports.ts"
import * as Sockets from "./support/Sockets.ts"
import * as Transcript from "./support/Transcript.ts"
import * as ZooCfg from "./support/ZooCfg.ts"

const TEST_TIMEOUT_MS = 60_000

const SIDS = [1n, 2n, 3n]

/** `::1` as configurations are written, which is as Java writes it. */
const WRITTEN_6 = "[0:0:0:0:0:0:0:1]"

/** Starts three peers with these addresses each, and waits until they agree and each is connected with both others. */
const elect = async (hosts: (sid: bigint) => ReadonlyArray<string>, keys: ZooCfg.Keys = {}) => {
  const cfgs = await ZooCfg.write({ members: SIDS.map((sid) => ({ sid, hosts: hosts(sid) })), keys })
  const peers = await Promise.all(SIDS.map((sid) => PeerProcess.start(cfgs(sid))))
  await PeerProcess.agreement(peers)
  for (const peer of peers) {
    await PeerProcess.statusWhen(peer, "connected with both others", ({ connections = [] }) =>
      connections.length === 2 && connections.every(({ connected }) => connected))
  }
  return { cfgs, peers }
}

const addresses = (peer: PeerProcess.PeerProcess | undefined) => peer?.events()[0]?.addresses?.toSorted()

describe("two addresses per server", { timeout: TEST_TIMEOUT_MS }, () => {
  const keys = { "multiAddress.enabled": true }

  it("three elect, and listen at both", async () => {
    const all = Ports.hosts(6)
    const hosts = (sid: bigint) => all.slice(Number(sid - 1n) * 2, Number(sid) * 2)
    const { cfgs, peers } = await elect(hosts, keys)
    for (const [index, sid] of SIDS.entries()) {
      assert.deepStrictEqual(addresses(peers[index]), hosts(sid).map((host) => `${host}:${cfgs(sid).electionPort}`))
    }
  })

  it("the first of one server is dead: the others reach it at the second", async () => {
    const [dead = "", alive = ""] = Ports.hosts(2)
    const members = SIDS.map((sid) => (sid === 1n ? { sid, hosts: [dead, alive] } : { sid }))
    const cfgs = await ZooCfg.write({ members, keys: { ...keys, electionPortBindRetry: 1 } })
    const { electionPort } = cfgs(1n)
    // Taken until the server has given it up; then nobody is there.
    const taken = await Sockets.listen(dead, electionPort)
    const one = await PeerProcess.start(cfgs(1n))
    await Transcript.until("the first is given up", [one.child.stderr], PeerProcess.ELECTION_TIMEOUT_MS, () =>
      one.child.stderr.lines.find((line) => line.includes(`gave up listening on ${dead}:${electionPort}`)))
    await Sockets.leave(taken)
    // Those with the larger ids dial server 1.
    const others = await Promise.all([2n, 3n].map((sid) => PeerProcess.start(cfgs(sid))))
    await PeerProcess.agreement([one, ...others])
    for (const other of others) {
      const status = await PeerProcess.statusWhen(other, "connected with server 1", (status) =>
        PeerProcess.connectionWith(status, 1n).connected)
      const { dialedBy, remote } = PeerProcess.connectionWith(status, 1n)
      assert.deepStrictEqual({ dialedBy, remote }, { dialedBy: "Us", remote: `${alive}:${electionPort}` })
    }
  })
})

describe("IPv6", { timeout: TEST_TIMEOUT_MS }, () => {
  it("three at [::1] elect", async ({ skip }) => {
    skip(!Ports.hasIPv6(), `this machine has no ${Ports.HOST_6}`)
    const { cfgs, peers } = await elect(() => [Ports.HOST_6])
    for (const [index, sid] of SIDS.entries()) {
      assert.deepStrictEqual(addresses(peers[index]), [`${WRITTEN_6}:${cfgs(sid).electionPort}`])
    }
    const last = await peers[2]!.status()
    for (const sid of [1n, 2n]) {
      const { remote } = PeerProcess.connectionWith(last, sid)
      assert.strictEqual(remote, `[${Ports.HOST_6}]:${cfgs(sid).electionPort}`)
    }
  })

  it("three at an IPv6 and an IPv4 address each elect", async ({ skip }) => {
    skip(!Ports.hasIPv6(), `this machine has no ${Ports.HOST_6}`)
    const { cfgs, peers } = await elect(() => [Ports.HOST_6, Ports.HOST], { "multiAddress.enabled": true })
    const { electionPort } = cfgs(1n)
    assert.deepStrictEqual(addresses(peers[0]), [`${Ports.HOST}:${electionPort}`, `${WRITTEN_6}:${electionPort}`])
  })
})
