/**
 * What a peer tells of its connections: with whom there is one, what went over it, what is wrong with the others, and
 * whom it turned away.
 */
import { assert, describe, it } from "@effect/vitest"
import * as PeerProcess from "./support/PeerProcess.ts"
import * as Ports from "./support/Ports.ts"
import * as Sockets from "./support/Sockets.ts"
import * as ZooCfg from "./support/ZooCfg.ts"

const TEST_TIMEOUT_MS = 60_000

const three: ZooCfg.Ensemble = { members: [{ sid: 1n }, { sid: 2n }, { sid: 3n }] }

/** A name with an empty label: no resolver knows it, and none has to be asked. */
const NOWHERE = "nowhere..invalid"

/** Waits until what is told of this server is as wanted. */
const toldOf = async (
  peer: PeerProcess.PeerProcess,
  sid: bigint,
  accept: (connection: PeerProcess.Connection) => boolean
): Promise<PeerProcess.Connection> =>
  PeerProcess.connectionWith(
    await PeerProcess.statusWhen(peer, `the connections with server ${sid}`, (status) =>
      accept(PeerProcess.connectionWith(status, sid))),
    sid
  )

const none = { connected: false, dialedBy: null, remote: null, sinceMs: null }
const nothing = { framesSent: 0, framesReceived: 0, bytesSent: 0, bytesReceived: 0 }

describe("status", { timeout: TEST_TIMEOUT_MS }, () => {
  it("of three, tells who is up and who refuses, in the order of the configuration", async () => {
    const cfgs = await ZooCfg.write(three)
    const before = Date.now()
    const [one, two] = await Promise.all([PeerProcess.start(cfgs(1n)), PeerProcess.start(cfgs(2n))])
    assert.strictEqual(await PeerProcess.agreement([one, two]), 2n)

    const up = await toldOf(one, 2n, ({ connected }) => connected)
    assert.strictEqual(up.dialedBy, "Them")
    assert.match(up.remote ?? "", /^127\.0\.0\.1:\d+$/)
    assert.isAtLeast(up.sinceMs ?? 0, before)
    assert.isAtMost(up.sinceMs ?? Infinity, Date.now())
    const down = await toldOf(one, 3n, ({ failure }) => failure !== null)
    assert.isAtLeast(down.failure?.count ?? 0, 1)
    const message = `cannot reach ${Ports.HOST}:${cfgs(3n).electionPort}: connection refused (nothing listens there)`
    assert.deepStrictEqual(down, {
      sid: 3n,
      ...none,
      ...nothing,
      failure: { reason: "Refused", message, count: down.failure?.count ?? 0 }
    })
    const { connections = [], rejections } = await one.status()
    assert.deepStrictEqual(connections.map(({ sid }) => sid), [2n, 3n])
    assert.deepStrictEqual(rejections, {})
  })

  it("what one says it sent the other says it received", async () => {
    const cfgs = await ZooCfg.write(three)
    // One after the other: the second dials the first, and nothing goes wrong if that is there already.
    const one = await PeerProcess.start(cfgs(1n))
    const two = await PeerProcess.start(cfgs(2n))
    await PeerProcess.agreement([one, two])
    const there = await toldOf(two, 1n, ({ connected, framesReceived }) => connected && framesReceived > 0)
    assert.strictEqual(there.dialedBy, "Us")
    assert.strictEqual(there.remote, `${Ports.HOST}:${cfgs(1n).electionPort}`)
    assert.strictEqual(there.failure, null)
    await bothCount(one, two)
  })

  it("tells that a name does not resolve", async () => {
    const members = [{ sid: 1n }, { sid: 2n }, { sid: 3n, hosts: [NOWHERE] }]
    const cfgs = await ZooCfg.write({ members })
    const one = await PeerProcess.start(cfgs(1n))
    const { failure } = await toldOf(one, 3n, (connection) => connection.failure !== null)
    assert.strictEqual(failure?.reason, "Unresolved")
    const address = `${NOWHERE}:${cfgs(3n).electionPort}`
    assert.strictEqual(failure?.message, `cannot reach ${address}: the name does not resolve`)
    assert.strictEqual((await toldOf(one, 2n, (other) => other.failure !== null)).failure?.reason, "Refused")
  })

  it("tells that a connection was lost, and counts its failures in a row", async () => {
    const cfgs = await ZooCfg.write(three)
    // Whoever is dialled back answers, and so nothing else goes wrong.
    await Sockets.listen(Ports.HOST, cfgs(3n).electionPort)
    const one = await PeerProcess.start(cfgs(1n))
    const socket = await Sockets.dialAs(3n, cfgs(1n).electionPort)
    await toldOf(one, 3n, ({ connected }) => connected)
    socket.destroy()
    const lost = await toldOf(one, 3n, ({ connected }) => !connected)
    assert.deepStrictEqual({ ...lost, failure: null }, { sid: 3n, ...none, ...nothing, failure: null })
    assert.deepStrictEqual([lost.failure?.reason, lost.failure?.count], ["Lost", 1])
    const refused = await toldOf(one, 2n, ({ failure }) => (failure?.count ?? 0) > 1)
    assert.strictEqual(refused.failure?.reason, "Refused")
  })

  it("tells of a stranger while it is connected", async () => {
    const cfgs = await ZooCfg.write(three)
    const one = await PeerProcess.start(cfgs(1n))
    const socket = await Sockets.dialAs(77n, cfgs(1n).electionPort)
    const sids = ({ connections = [] }: PeerProcess.PeerEvent) => connections.map(({ sid }) => sid)
    const status = await PeerProcess.statusWhen(one, "server 77 is connected", (status) => sids(status).includes(77n))
    assert.deepStrictEqual(sids(status), [2n, 3n, 77n])
    assert.strictEqual(PeerProcess.connectionWith(status, 77n).dialedBy, "Them")
    socket.destroy()
    await PeerProcess.statusWhen(one, "server 77 is gone", (status) => !sids(status).includes(77n))
  })

  it("counts those turned away by reason, one too many who say nothing among them", async () => {
    const limit = 21
    const cfgs = await ZooCfg.write({ ...three, keys: { "quorum.cnxn.threads.size": limit } })
    const { electionPort } = cfgs(1n)
    const one = await PeerProcess.start(cfgs(1n))
    await Sockets.dialAs(1n, electionPort)
    await PeerProcess.statusWhen(one, "its own id turned away", ({ rejections }) => rejections?.["OwnSid"] === 1)
    for (let silent = 0; silent < limit; silent++) await Sockets.dial(electionPort)
    // It was accepted after them, so what they lead to is known by now.
    await Sockets.dialAs(77n, electionPort)
    const full = await PeerProcess.statusWhen(one, "one too many", ({ rejections }) =>
      rejections?.["TooManyHandshakes"] !== undefined)
    assert.deepStrictEqual(full.rejections, { OwnSid: 1, TooManyHandshakes: 1 })
  })
})

/** Waits until each end of a connection has received what the other says it sent. */
const bothCount = async (one: PeerProcess.PeerProcess, two: PeerProcess.PeerProcess): Promise<void> => {
  await PeerProcess.statusWhen(one, "as much received as the other sent, both ways", async (status) => {
    const here = PeerProcess.connectionWith(status, two.sid)
    const there = PeerProcess.connectionWith(await two.status(), one.sid)
    return here.framesSent === there.framesReceived && here.bytesSent === there.bytesReceived &&
      here.framesReceived === there.framesSent && here.bytesReceived === there.bytesSent
  })
}
