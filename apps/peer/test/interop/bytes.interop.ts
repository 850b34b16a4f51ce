/**
 * The bytes we send are what a real server expects: it decodes them and finds nothing to complain about.
 */
import { assert, describe, it } from "@effect/vitest"
import { connect } from "node:net"
import * as Mixed from "../support/Mixed.ts"
import * as Ports from "../support/Ports.ts"
import * as ZooCfg from "../support/ZooCfg.ts"
import * as ZooKeeperLog from "../support/ZooKeeperLog.ts"
import * as ZooKeeperServer from "../support/ZooKeeperServer.ts"

// The one message format that servers since 3.5 send, and the version of a configuration that was never changed.
const MODERN = "message format version:0x2, n.config version:0x0"

/** The hello of an unknown server 9, the length of a frame, and fewer bytes than the shortest notification has. */
const shortNotification = (address: string): Buffer => {
  const hello = Buffer.alloc(20)
  hello.writeBigInt64BE(-65_536n, 0)
  hello.writeBigInt64BE(9n, 8)
  hello.writeInt32BE(address.length, 16)
  const frame = Buffer.alloc(14)
  frame.writeInt32BE(10, 0)
  return Buffer.concat([hello, Buffer.from(address), frame])
}

describe("what real servers think of our bytes", () => {
  it("a notification that is too short would be noticed", async () => {
    const cfgs = await ZooCfg.write({ members: [{ sid: 1n }, { sid: 2n }] })
    const [server] = await Mixed.startReal(cfgs, 1n)
    await server?.waitForLog(/is accepting connections now/)
    const socket = connect({ host: Ports.HOST, port: cfgs(1n).electionPort })
    socket.write(shortNotification(`${Ports.HOST}:${cfgs(2n).electionPort}`))
    await server?.waitForLog(/Got a short response from server/)
    socket.destroy()
    assert.strictEqual(server?.complaints().length, 1)
  })

  it.each([["highest", 3n, [1n, 2n]], ["lowest", 1n, [2n, 3n]]])(
    "with the %s id, looking and following, every notification of ours is understood",
    async (_, ours, real) => {
      const cfgs = await ZooCfg.write({
        members: [...real.map((sid) => ({ sid })), { sid: ours, electable: false }, { sid: 4n, observer: true }]
      })
      const [servers, peers] = await Promise.all([Mixed.startReal(cfgs, ...real), Mixed.startOurs(cfgs, ours)])
      const leader = await Mixed.serving(servers)
      for (const peer of peers) {
        await Mixed.holds(peer, "FOLLOWING", leader.sid)
        const from = peer.events().length
        peer.send("look")
        await peer.waitFor("looking again", ({ event }) => event === "looking", from)
        await Mixed.holds(peer, "FOLLOWING", leader.sid)
      }
      // A server that starts now asks everybody: ours answers whom it follows.
      const late = await ZooKeeperServer.start(cfgs(4n))
      await late.waitForLog(new RegExp(`n\\.sid:${ours}, n\\.state:FOLLOWING, n\\.leader:${leader.sid},`))
      await late.waitForMode("observer")
      const heard = [...servers, late].flatMap((server) => ZooKeeperLog.notificationsFrom(server.log(), ours))
      assert.isTrue(heard.some((line) => line.includes("n.state:LOOKING")), heard.join("\n"))
      assert.deepStrictEqual(heard.filter((line) => !line.includes(MODERN)), [])
      for (const server of [...servers, late]) assert.deepStrictEqual(server.complaints(), [])
    }
  )
})
