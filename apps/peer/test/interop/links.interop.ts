/**
 * Connections with real servers: several addresses per server, and servers that come and go.
 */
import { assert, describe, it } from "@effect/vitest"
import { readFile } from "node:fs/promises"
import * as Mixed from "../support/Mixed.ts"
import * as PeerProcess from "../support/PeerProcess.ts"
import * as Ports from "../support/Ports.ts"
import * as Sockets from "../support/Sockets.ts"
import * as Transcript from "../support/Transcript.ts"
import * as ZooCfg from "../support/ZooCfg.ts"
import * as ZooKeeperServer from "../support/ZooKeeperServer.ts"

/** A voter without weight that the test plays: everybody dials it and nobody waits for it. */
const PLAYED = 4n

const LINKS_TIMEOUT_MS = 20_000

describe("two addresses per server", () => {
  it.each([["highest", 3n, [1n, 2n]], ["lowest", 1n, [2n, 3n]]])(
    "ours, with the %s id, and two real servers shake hands with -65535, and ours follows",
    async (_, ours, real) => {
      const hosts = Ports.hosts(6)
      const hostsOf = (sid: bigint) => hosts.slice(Number(sid - 1n) * 2, Number(sid) * 2)
      const cfgs = await ZooCfg.write({
        members: [
          ...real.map((sid) => ({ sid, hosts: hostsOf(sid) })),
          { sid: ours, hosts: hostsOf(ours), electable: false },
          { sid: PLAYED }
        ],
        groups: [[1n, 2n, 3n, PLAYED]],
        weights: [[1n, 1], [2n, 1], [3n, 1], [PLAYED, 0]],
        keys: { "multiAddress.enabled": true }
      })
      const said = Sockets.handshakes(await Sockets.listen(Ports.HOST, cfgs(PLAYED).electionPort))
      const [peer, ...servers] = await Promise.all([
        PeerProcess.start(cfgs(ours)),
        ...real.map((sid) => ZooKeeperServer.start(cfgs(sid), [ZooKeeperServer.MULTI_ADDRESS]))
      ])
      const leader = await Mixed.serving(servers)
      await Mixed.holds(peer, "FOLLOWING", leader.sid)
      for (const sid of [ours, ...real]) {
        await Transcript.until(`the handshake of ${sid}`, [said], LINKS_TIMEOUT_MS, () =>
          said.lines.find((line) => line === `-65535 ${sid}`))
      }
      assert.deepStrictEqual(said.lines.filter((line) => !line.startsWith("-65535 ")), [])
      // The larger id dials; a real server that is dialled by ours dials back where the handshake says.
      for (const sid of real) {
        const status = await PeerProcess.statusWhen(peer, `connected with server ${sid}`, (status) =>
          PeerProcess.connectionWith(status, sid).connected)
        const { dialedBy, remote } = PeerProcess.connectionWith(status, sid)
        assert.strictEqual(dialedBy, ours > sid ? "Us" : "Them")
        const at = hostsOf(sid).map((host) => `${host}:${cfgs(sid).electionPort}`)
        if (ours > sid) assert.include(at, remote)
      }
      for (const server of servers) assert.deepStrictEqual(server.complaints(), [])
    }
  )
})

describe("a real server that is killed and started again, five times in a row", () => {
  it.each([["highest", 4n, [1n, 2n, 3n]], ["lowest", 1n, [2n, 3n, 4n]]])(
    "is connected with ours, with the %s id, every time, and every pair has one connection",
    async (_, ours, real) => {
      // Without weight ours is not missed at the quorum port, so that the other two go on serving.
      const cfgs = await ZooCfg.write({
        members: [...real, ours].map((sid) => ({ sid })),
        groups: [[1n, 2n, 3n, 4n]],
        weights: [...real.map((sid) => [sid, 1] as const), [ours, 0] as const]
      })
      const ports = [...real, ours].map((sid) => cfgs(sid).electionPort)
      const [servers, [peer]] = await Promise.all([Mixed.startReal(cfgs, ...real), Mixed.startOurs(cfgs, ours)])
      if (peer === undefined) throw new Error("One was started")
      const leader = await Mixed.serving(servers)
      const stayed = servers.filter(({ sid }) => sid !== (leader.sid === real[0] ? real[1] : real[0]))
      let restarted = servers.find((server) => !stayed.includes(server))!
      for (let time = 1; time <= 5; time++) {
        await restarted.kill()
        await PeerProcess.statusWhen(peer, `server ${restarted.sid} is gone`, (status) =>
          !PeerProcess.connectionWith(status, restarted.sid).connected)
        restarted = await ZooKeeperServer.start(cfgs(restarted.sid))
        await restarted.waitForMode("follower")
        const status = await PeerProcess.statusWhen(peer, `server ${restarted.sid} is back`, (status) => {
          const { connected, framesReceived } = PeerProcess.connectionWith(status, restarted.sid)
          return connected && framesReceived > 0
        })
        assert.deepStrictEqual(status.connections?.map(({ connected }) => connected), [true, true, true])
        await connectionsCount(ports, ports.length * (ports.length - 1) / 2)
      }
      assert.strictEqual((await Mixed.serving([...stayed, restarted])).sid, leader.sid)
      await Mixed.holds(peer, "FOLLOWING", leader.sid)
      assert.deepStrictEqual((await peer.status()).rejections, {})
      for (const server of [...stayed, restarted]) assert.deepStrictEqual(server.complaints(), [])
    }
  )
})

/** Waits until so many connections, as the kernel counts them, have been accepted at these ports. */
const connectionsCount = (ports: ReadonlyArray<number>, count: number): Promise<number> =>
  Transcript.poll(`${count} connections in all`, [], LINKS_TIMEOUT_MS, async () => {
    const counted = await accepted(ports)
    return counted === count ? counted : undefined
  })

// Columns of proc(5): number, local address, remote address, state; 01 is ESTABLISHED. Java listens with IPv6 sockets.
const accepted = async (ports: ReadonlyArray<number>): Promise<number> => {
  const tables = await Promise.all(["tcp", "tcp6"].map((name) => readFile(`/proc/net/${name}`, "utf8")))
  const rows = tables.flatMap((table) => table.split("\n").slice(1)).map((row) => row.trim().split(/\s+/))
  return rows.filter(([, local, , state]) =>
    state === "01" && ports.includes(Number.parseInt(local?.split(":").at(-1) ?? "", 16))
  ).length
}
