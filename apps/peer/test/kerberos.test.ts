/**
 * Peers as separate processes that log in to each other with Kerberos, whoever dials.
 */
import { assert, describe, it } from "@effect/vitest"
import { readFile, writeFile } from "node:fs/promises"
import * as Child from "./support/Child.ts"
import * as Kdc from "./support/Kdc.ts"
import * as LoginConfig from "./support/LoginConfig.ts"
import * as PeerProcess from "./support/PeerProcess.ts"
import * as Ports from "./support/Ports.ts"
import * as ZooCfg from "./support/ZooCfg.ts"

const missing = await Kdc.missing()
if (missing !== undefined) console.warn(`Kerberos is not tested: ${missing}`)

const TEST_TIMEOUT_MS = 60_000

/** Three servers, each at a host of its own, that all insist on Kerberos. */
const ensemble = async () => {
  const kdc = await Kdc.start()
  const hosts = Ports.hosts(3)
  const members = hosts.map((host, index) => ({ sid: BigInt(index + 1), hosts: [host] }))
  const cfgs = await ZooCfg.write({ members, keys: { ...LoginConfig.keysOf("server"), ...LoginConfig.SERVICE } })
  const hostOf = (sid: bigint) => hosts[Number(sid) - 1] ?? ""
  const login = (sid: bigint, principals: Partial<LoginConfig.Principals> = {}) =>
    LoginConfig.writeKerberos(kdc, cfgs(sid), { ...LoginConfig.principalsOf(hostOf(sid)), ...principals })
  const startWith = (sid: bigint, file: string) => PeerProcess.start(cfgs(sid), ["--jaas", file], kdc.env)
  const start = async (sid: bigint, principals?: Partial<LoginConfig.Principals>) =>
    startWith(sid, await login(sid, principals))
  /** Starts these at once, so that none of them elects without the others. */
  const startAll = async (...sids: ReadonlyArray<bigint>) => {
    const files = new Map<bigint, string>()
    // One login after another: they write to the same database.
    for (const sid of sids) files.set(sid, await login(sid))
    return Promise.all(Array.from(files, ([sid, file]) => startWith(sid, file)))
  }
  return { kdc, cfgs, hostOf, login, start, startAll, startWith }
}

/** Everything a process has printed. */
const printed = ({ child }: PeerProcess.PeerProcess) => [...child.stdout.lines, ...child.stderr.lines].join("\n")

const rejecting = (peer: PeerProcess.PeerProcess, reason: string) =>
  PeerProcess.statusWhen(peer, `it counts ${reason}`, ({ rejections }) => (rejections?.[reason] ?? 0) > 0)

const isConnected = async (peer: PeerProcess.PeerProcess, sid: bigint) =>
  PeerProcess.connectionWith(await peer.status(), sid).connected

describe.skipIf(missing !== undefined)("Kerberos", { timeout: TEST_TIMEOUT_MS }, () => {
  it("three peers that all insist on it elect a leader and activate it, and again without it", async () => {
    const { startAll } = await ensemble()
    const peers = await startAll(1n, 2n, 3n)
    const elected = await PeerProcess.agreement(peers)
    for (const peer of peers) {
      const { connections = [], rejections } = await PeerProcess.statusWhen(peer, "connected with both", (status) =>
        (status.connections ?? []).every(({ connected }) => connected))
      // Who has the larger id of two has dialled last, and the other has let it in.
      const diallers = connections.map(({ dialedBy, sid }) => (dialedBy === "Us") === (sid < peer.sid))
      assert.deepStrictEqual(diallers, [true, true])
      assert.deepStrictEqual(rejections, {})
      // At the quorum port they log in as well.
      await peer.waitFor("activated", ({ event, leader }) => event === "activated" && leader === elected)
    }
    await peers.find(({ sid }) => sid === elected)?.kill("SIGKILL")
    const others = peers.filter(({ sid }) => sid !== elected)
    assert.strictEqual(await PeerProcess.agreement(others), others[1]?.sid)
  })

  it.each<readonly [what: string, learner: string, problem: string]>([
    ["of no host of the ensemble", "learner/elsewhere", `learner/elsewhere@${Kdc.REALM} is of elsewhere, which`],
    ["without a host", "eve", `eve@${Kdc.REALM} is no principal of three parts`]
  ])("a principal %s stays out, is told of on both sides, and disturbs nobody", async (_, learner, problem) => {
    const { start, startAll } = await ensemble()
    const peers = await startAll(1n, 2n)
    assert.strictEqual(await PeerProcess.agreement(peers), 2n)
    const third = await start(3n, { learner })
    assert.strictEqual((await rejecting(third, "AuthRefused")).leader, null)
    assert.include(printed(third), "it did not accept our login")
    for (const peer of peers) {
      await rejecting(peer, "WrongCredentials")
      assert.isFalse(await isConnected(peer, 3n))
      assert.include(printed(peer), `as server 3: ${problem}`)
    }
    assert.strictEqual(await PeerProcess.agreement(peers), 2n)
  })

  it("who has not the key with which a ticket was made says so", async () => {
    const { hostOf, kdc, start } = await ensemble()
    const one = await start(1n)
    await kdc.rekey(`zkquorum/${hostOf(1n)}`)
    const two = await start(2n)
    await rejecting(one, "AuthUnavailable")
    await rejecting(two, "AuthRefused")
    assert.include(printed(one), `as server 2: its ticket is not for our key, that of zkquorum/${hostOf(1n)}@`)
    assert.isFalse(await isConnected(two, 1n))
  })

  it("who gets no ticket says so, and is let in once it gets one", async () => {
    const { hostOf, kdc, login, startAll, startWith } = await ensemble()
    const peers = await startAll(1n, 2n)
    assert.strictEqual(await PeerProcess.agreement(peers), 2n)
    const file = await login(3n)
    await kdc.expire(`learner/${hostOf(3n)}`, "yesterday")
    const third = await startWith(3n, file)
    await rejecting(third, "AuthFailed")
    assert.match(printed(third), /no ticket for zkquorum@[\d.]+ from Kerberos: .*entry in database has expired/)
    assert.isFalse(await isConnected(third, 1n))
    await kdc.expire(`learner/${hostOf(3n)}`, "never")
    assert.strictEqual(await PeerProcess.agreement([...peers, third]), 2n)
  })

  it("who logs in with a password is told of, and stays out", async () => {
    const { cfgs, start } = await ensemble()
    const one = await start(1n)
    const two = await PeerProcess.start(cfgs(2n), ["--jaas", await LoginConfig.write(cfgs(2n))])
    await rejecting(one, "MalformedAuth")
    await rejecting(two, "AuthRefused")
    assert.include(printed(one), "as server 2: it sent no ticket (who logs in with DIGEST-MD5 begins like that)")
  })

  it("does not start without a key for itself, and says so", async () => {
    const { cfgs, kdc, login } = await ensemble()
    const file = await login(1n)
    await writeFile(file, (await readFile(file, "utf8")).replace("principal=\"zkquorum/", "principal=\"somebody/"))
    const peer = PeerProcess.command("peer 1", ["peer", "--config", cfgs(1n).file, "--jaas", file], kdc.env)
    assert.strictEqual((await Child.ended(peer)).code, 1)
    assert.match(peer.stderr.lines.join("\n"), /problem: there is no key of somebody\/.* \(.*No principal in keytab/)
  })
})
