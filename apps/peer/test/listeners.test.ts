/**
 * Where a peer listens, what it says when it cannot, and how its process ends when it cannot at all.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Child from "./support/Child.ts"
import * as PeerProcess from "./support/PeerProcess.ts"
import * as Ports from "./support/Ports.ts"
import * as Sockets from "./support/Sockets.ts"
import * as Transcript from "./support/Transcript.ts"
import * as ZooCfg from "./support/ZooCfg.ts"

const TEST_TIMEOUT_MS = 60_000

/** No election address could be bound. Java: ExitCode.UNABLE_TO_BIND_QUORUM_PORT. */
const UNABLE_TO_BIND = 14

const three = [{ sid: 1n }, { sid: 2n }, { sid: 3n }]

const waitForLog = (child: Child.Child, text: string): Promise<string> =>
  Transcript.until(`it logs: ${text}`, [child.stderr], PeerProcess.ELECTION_TIMEOUT_MS, () =>
    child.stderr.lines.find((line) => line.includes(text)))

describe("an election port that is taken", { timeout: TEST_TIMEOUT_MS }, () => {
  it.each([["peer", "--control"], ["elect", "--timeout=30s"]])(
    "for good: %s says what follows from it and ends with exit code 14",
    async (name, option) => {
      const cfgs = await ZooCfg.write({ members: three, keys: { electionPortBindRetry: 1 } })
      const { electionPort, file } = cfgs(1n)
      await Sockets.listen(Ports.HOST, electionPort)
      const child = PeerProcess.command(`${name} 1`, [name, "--config", file, option])
      assert.deepStrictEqual(await Child.ended(child), { code: UNABLE_TO_BIND, signal: null })
      const said = child.stderr.lines.join("\n")
      assert.include(said, `cannot listen on ${Ports.HOST}:${electionPort}`)
      assert.match(said, /ERROR server 1: .*this server cannot be dialled and takes no part in elections/)
      assert.match(said, /^conclave: .*EADDRINUSE/m)
      assert.deepStrictEqual(child.stdout.lines, [])
    }
  )

  it("for a while: the peer tries again, and listens when it is free", async () => {
    const cfgs = await ZooCfg.write({ members: three, keys: { electionPortBindRetry: 0 } })
    const { electionPort, file } = cfgs(1n)
    const taken = await Sockets.listen(Ports.HOST, electionPort)
    const child = PeerProcess.command("peer 1", ["peer", "--config", file, "--control"])
    await waitForLog(child, `cannot listen on ${Ports.HOST}:${electionPort}`)
    await Sockets.leave(taken)
    await waitForLog(child, `listening for elections at ${Ports.HOST}:${electionPort}`)
    assert.isUndefined(child.outcome())
  })
})

describe("an own name that does not resolve", { timeout: TEST_TIMEOUT_MS }, () => {
  // A name with an empty label: no resolver knows it, and none has to be asked.
  const hosts = ["nowhere..invalid"]

  it("is tried as often as told, and ends the process with exit code 14 (testCnxManagerListener…Retry)", async () => {
    const members = [{ sid: 1n, hosts }, { sid: 2n }]
    const cfgs = await ZooCfg.write({ members, keys: { electionPortBindRetry: 2 } })
    const { electionPort, file } = cfgs(1n)
    const child = PeerProcess.command("peer 1", ["peer", "--config", file, "--control"])
    assert.deepStrictEqual(await Child.ended(child), { code: UNABLE_TO_BIND, signal: null })
    const tries = child.stderr.lines.filter((line) => line.includes(`cannot listen on ${hosts[0]}:${electionPort}`))
    assert.isAtLeast(tries.length, 2)
    assert.match(child.stderr.lines.join("\n"), /ENOTFOUND|EAI_AGAIN/)
  })

  it("does not matter where it listens on all addresses", async () => {
    // The larger id dials, so nobody has to find it.
    const members = [{ sid: 1n }, { sid: 2n, hosts }]
    const cfgs = await ZooCfg.write({ members, keys: { quorumListenOnAllIPs: true } })
    const one = await PeerProcess.start(cfgs(1n))
    const two = await PeerProcess.start(cfgs(2n))
    assert.strictEqual(await PeerProcess.agreement([one, two]), 2n)
  })
})

describe("several election addresses", { timeout: TEST_TIMEOUT_MS }, () => {
  const keys = { "multiAddress.enabled": true, electionPortBindRetry: 1 }

  it("one of them is taken: the peer says so, and serves at the other", async () => {
    const [first = "", second = ""] = Ports.hosts(2)
    const cfgs = await ZooCfg.write({ members: [{ sid: 1n, hosts: [first, second] }, { sid: 2n }], keys })
    const { electionPort } = cfgs(1n)
    await Sockets.listen(first, electionPort)
    const one = await PeerProcess.start(cfgs(1n))
    await waitForLog(one.child, `gave up listening on ${first}:${electionPort}; the other addresses still serve`)
    assert.deepStrictEqual(one.events()[0]?.addresses, [`${second}:${electionPort}`])
    await Sockets.dialAs(2n, electionPort, second)
    await PeerProcess.statusWhen(one, "server 2 is connected", (status) =>
      PeerProcess.connectionWith(status, 2n).dialedBy === "Them")
  })

  it("all of them are taken: the process ends with exit code 14", async () => {
    const hosts = Ports.hosts(2)
    const cfgs = await ZooCfg.write({ members: [{ sid: 1n, hosts }, { sid: 2n }], keys })
    const { electionPort, file } = cfgs(1n)
    for (const host of hosts) await Sockets.listen(host, electionPort)
    const child = PeerProcess.command("peer 1", ["peer", "--config", file, "--control"])
    assert.deepStrictEqual(await Child.ended(child), { code: UNABLE_TO_BIND, signal: null })
    for (const host of hosts) await waitForLog(child, `cannot listen on ${host}:${electionPort}`)
  })
})

describe("quorumListenOnAllIPs", { timeout: TEST_TIMEOUT_MS }, () => {
  it("is off: only the address of the own entry answers", async () => {
    const [own = "", other = ""] = Ports.hosts(2)
    const cfgs = await ZooCfg.write({ members: [{ sid: 1n, hosts: [own] }, { sid: 2n }] })
    const { electionPort } = cfgs(1n)
    const one = await PeerProcess.start(cfgs(1n))
    assert.deepStrictEqual(one.events()[0]?.addresses, [`${own}:${electionPort}`])
    await Sockets.dial(electionPort, own)
    const refused = await Sockets.dial(electionPort, other).then(() => undefined, (error: Error) => error.message)
    assert.include(refused ?? "accepted", "ECONNREFUSED")
  })

  it("is on: every address of the machine answers, and three elect", async () => {
    const [own = "", other = ""] = Ports.hosts(2)
    const members = three.map(({ sid }) => ({ sid, hosts: [own] }))
    const cfgs = await ZooCfg.write({ members, keys: { quorumListenOnAllIPs: true } })
    const { electionPort } = cfgs(1n)
    const peers = await Promise.all(members.map(({ sid }) => PeerProcess.start(cfgs(sid))))
    const { addresses = [] } = peers[0]?.events()[0] ?? {}
    // The second where the kernel has no IPv6.
    assert.include(["[::]", "0.0.0.0"].map((host) => `${host}:${electionPort}`), addresses.join(" and "))
    await PeerProcess.agreement(peers)
    const hosts = [own, other, ...(Ports.hasIPv6() ? [Ports.HOST_6] : [])]
    for (const [index, host] of hosts.entries()) {
      // A stranger of its own at each address is accepted and listed.
      const sid = BigInt(70 + index)
      await Sockets.dialAs(sid, electionPort, host)
      await PeerProcess.statusWhen(peers[0]!, `server ${sid} is connected`, ({ connections = [] }) =>
        connections.some((connection) => connection.sid === sid && connection.connected))
    }
  })
})
