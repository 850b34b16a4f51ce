/**
 * Real servers change their ensemble. Ours learns it from their notifications, and its files are those of a real
 * server: the same bytes where bytes matter, and a real server starts from them.
 */
import { assert, describe, it } from "@effect/vitest"
import { access, readFile, writeFile } from "node:fs/promises"
import * as Mixed from "../support/Mixed.ts"
import * as PeerProcess from "../support/PeerProcess.ts"
import * as Ports from "../support/Ports.ts"
import * as Transcript from "../support/Transcript.ts"
import * as ZooCfg from "../support/ZooCfg.ts"
import * as ZooKeeperServer from "../support/ZooKeeperServer.ts"

// Without the second key only an authenticated superuser may change anything.
const keys = { reconfigEnabled: true, skipACL: "yes", standaloneEnabled: false }

const FILES_TIMEOUT_MS = 20_000

const lines = (text: string): ReadonlyArray<string> => text.split("\n").filter((line) => line !== "").toSorted()

/** Waits until a server's `zoo.cfg` points to a dynamic file of that version, and gives what that holds. */
const dynamicFile = async ({ file }: ZooCfg.ZooCfg, version: string): Promise<string> => {
  const dynamic = `${file}.dynamic.${version}`
  await Transcript.poll(`${file} points to ${dynamic}`, [], FILES_TIMEOUT_MS, async () =>
    (await readFile(file, "utf8")).includes(`dynamicConfigFile=${dynamic}\n`) || undefined)
  return readFile(dynamic, "utf8")
}

/** What must be left of a `zoo.cfg` that listed the members, by a file of this version, whoever has written it. */
const assertMoved = async ({ file }: ZooCfg.ZooCfg, version: string, clientPortMoved: boolean): Promise<void> => {
  const gone = clientPortMoved ? /^(server\.|peerType|clientPort)/ : /^(server\.|peerType)/
  const kept = lines(await readFile(`${file}.bak`, "utf8")).filter((line) => !gone.test(line))
  const expected = [...kept, `dynamicConfigFile=${file}.dynamic.${version}`].toSorted()
  assert.deepStrictEqual(lines(await readFile(file, "utf8")), expected)
}

const assertNoNext = async ({ file }: ZooCfg.ZooCfg): Promise<void> => {
  const there = await access(`${file}.dynamic.next`).then(() => true, () => false)
  assert.isFalse(there, "a configuration is still pending")
}

/** The version that a client was told after a reconfiguration. */
const versionIn = (said: string): string =>
  /^version=([0-9a-f]+)$/m.exec(said)?.[1] ?? assert.fail(`no version in\n${said}`)

/**
 * Has ours look again, and waits until it has that leader in the configuration of this version. It may lose the leader
 * once more: real servers close and reopen their election port for a new configuration.
 */
const learns = async (
  peer: PeerProcess.PeerProcess,
  version: string,
  role: string | null,
  expected: bigint
): Promise<void> => {
  const state = role === "observer" ? "OBSERVING" : "FOLLOWING"
  peer.send("look")
  await PeerProcess.statusWhen(peer, `is ${role} in configuration ${version}`, ({ configuration, ...status }) =>
    configuration?.version === version && configuration.role === role &&
    status.state === state && status.leader === expected)
}

describe("with three real servers that change who they are", () => {
  it("ours, not electable, learns who was removed, and a real server starts from its files", async () => {
    const cfgs = await ZooCfg.write({ members: [1n, 2n, 3n, 4n].map((sid) => ({ sid, electable: sid !== 4n })), keys })
    const servers = await Mixed.startReal(cfgs, 1n, 2n, 3n)
    const leader = await Mixed.serving(servers)
    const peer = await PeerProcess.start(cfgs(4n))
    await Mixed.holds(peer, "FOLLOWING", leader.sid)
    // The first leader gives the configuration of the files its first version.
    const first = "100000000"
    assert.strictEqual(await dynamicFile(cfgs(4n), first), await dynamicFile(cfgs(leader.sid), first))
    for (const sid of [4n, leader.sid]) await assertMoved(cfgs(sid), first, false)

    const [removed] = servers.filter(({ sid }) => sid !== leader.sid)
    const said = await ZooKeeperServer.command(cfgs(leader.sid).clientPort, "reconfig", "-remove", `${removed!.sid}`)
    const version = versionIn(said)
    await learns(peer, version, "participant", leader.sid)
    assert.strictEqual(await dynamicFile(cfgs(4n), version), await dynamicFile(cfgs(leader.sid), version))
    assert.notInclude(await dynamicFile(cfgs(4n), version), `server.${removed!.sid}=`)
    for (const sid of [4n, leader.sid]) {
      await assertMoved(cfgs(sid), version, false)
      await assertNoNext(cfgs(sid))
    }

    peer.send("stop")
    await peer.child.exited
    const real = await ZooKeeperServer.start(cfgs(4n))
    await real.waitForMode("follower")
    await Mixed.serving([...servers.filter((server) => server !== removed), real])
  })

  it("ours is removed, has no vote from then on, and is added again", async () => {
    const cfgs = await ZooCfg.write({ members: [1n, 2n, 3n, 4n].map((sid) => ({ sid, electable: sid !== 4n })), keys })
    const servers = await Mixed.startReal(cfgs, 1n, 2n, 3n)
    const leader = await Mixed.serving(servers)
    const { clientPort } = cfgs(leader.sid)
    const peer = await PeerProcess.start(cfgs(4n))
    await Mixed.holds(peer, "FOLLOWING", leader.sid)

    const without = versionIn(await ZooKeeperServer.command(clientPort, "reconfig", "-remove", "4"))
    await learns(peer, without, null, leader.sid)
    assert.match((await peer.status()).configuration?.note ?? "", /does not list server 4, which has no vote/)
    assert.isTrue(peer.child.stderr.lines.some((line) => line.includes("WARN") && line.includes(without)))
    assert.strictEqual(await dynamicFile(cfgs(4n), without), await dynamicFile(cfgs(leader.sid), without))

    const { clientPort: ourClientPort, electionPort, quorumPort } = cfgs(4n)
    const entry = `server.4=${Ports.HOST}:${quorumPort}:${electionPort}:participant;${Ports.HOST}:${ourClientPort}`
    const again = versionIn(await ZooKeeperServer.command(clientPort, "reconfig", "-add", entry))
    await learns(peer, again, "participant", leader.sid)
    assert.include(await dynamicFile(cfgs(4n), again), entry)
    assert.strictEqual(await dynamicFile(cfgs(4n), again), await dynamicFile(cfgs(leader.sid), again))
    await assertMoved(cfgs(4n), again, true)

    peer.send("stop")
    await peer.child.exited
    const restarted = await PeerProcess.start(cfgs(4n))
    assert.strictEqual((await restarted.status()).configuration?.version, again)
    await learns(restarted, again, "participant", leader.sid)
  })

  it("ours, an observer, is told by the leader that it follows", async () => {
    const members = [{ sid: 1n }, { sid: 2n }, { sid: 3n }, { sid: 12n, observer: true }]
    const cfgs = await ZooCfg.write({ members, keys })
    const servers = await Mixed.startReal(cfgs, 1n, 2n, 3n)
    const leader = await Mixed.serving(servers)
    const peer = await PeerProcess.start(cfgs(12n))
    await PeerProcess.activated(peer)
    const [removed] = servers.filter(({ sid }) => sid !== leader.sid)
    const said = await ZooKeeperServer.command(cfgs(leader.sid).clientPort, "reconfig", "-remove", `${removed!.sid}`)
    // Nobody has it look: the leader's word alone makes the configuration the one in force.
    const version = versionIn(said)
    await PeerProcess.statusWhen(peer, `is in configuration ${version}`, ({ configuration, leader: follows, state }) =>
      configuration?.version === version && state === "OBSERVING" && follows === leader.sid)
    assert.strictEqual(await dynamicFile(cfgs(12n), version), await dynamicFile(cfgs(leader.sid), version))
  })

  it("ours, an observer, becomes a voter and an observer again", async () => {
    const members = [{ sid: 1n }, { sid: 2n }, { sid: 3n }, { sid: 12n, observer: true, electable: false }]
    const cfgs = await ZooCfg.write({ members, keys })
    const servers = await Mixed.startReal(cfgs, 1n, 2n, 3n)
    const leader = await Mixed.serving(servers)
    const { clientPort } = cfgs(leader.sid)
    const peer = await PeerProcess.start(cfgs(12n))
    await Mixed.holds(peer, "OBSERVING", leader.sid)
    const { electionPort, quorumPort } = cfgs(12n)
    for (const role of ["participant", "observer"]) {
      const entry = `server.12=${Ports.HOST}:${quorumPort}:${electionPort}:${role};${cfgs(12n).clientPort}`
      const version = versionIn(await ZooKeeperServer.command(clientPort, "reconfig", "-add", entry))
      await learns(peer, version, role, leader.sid)
      assert.strictEqual(await dynamicFile(cfgs(12n), version), await dynamicFile(cfgs(leader.sid), version))
      await assertMoved(cfgs(12n), version, true)
    }
  })
})

describe("with two real servers that have seen a pending configuration", () => {
  it("ours, which will be voters in it and are observers until then, give the votes that it needs", async () => {
    const sids = [1n, 2n, 3n, 4n, 5n, 6n, 7n]
    const cfgs = await ZooCfg.write({ members: sids.map((sid) => ({ sid, electable: sid < 3n })), keys })
    for (const sid of sids.slice(0, 4)) {
      const { file } = cfgs(sid)
      const text = lines(await readFile(file, "utf8"))
      const servers = text.filter((line) => line.startsWith("server."))
      const now = servers.map((line) => (/^server\.[12]=/.test(line) ? line : `${line}:observer`))
      await writeFile(`${file}.dynamic.5`, now.join("\n"))
      await writeFile(`${file}.dynamic.next`, [...servers, "version=6"].join("\n"))
      const kept = text.filter((line) => !line.startsWith("server."))
      await writeFile(file, [...kept, `dynamicConfigFile=${file}.dynamic.5`, ""].join("\n"))
    }
    // The two voters of now are a quorum of now. Of the seven to come it takes four, and the last three never start.
    const [one, two] = await Mixed.startReal(cfgs, 1n, 2n)
    const [three] = await Mixed.startOurs(cfgs, 3n)
    for (const real of [one!, two!]) await real.waitForLog(/n\.sid:3, n\.state:LOOKING, n\.leader:2,/)
    const before = [...one!.log(), ...two!.log()]
    assert.deepStrictEqual(before.filter((line) => Mixed.LEADING.test(line) || Mixed.FOLLOWING.test(line)), [])
    const [four] = await Mixed.startOurs(cfgs, 4n)
    await Promise.all([two!.waitForLog(Mixed.LEADING), one!.waitForLog(Mixed.FOLLOWING)])
    for (const ours of [three!, four!]) {
      const elected = await ours.waitFor("elected", ({ event }) => event === "elected")
      assert.strictEqual(elected.leader, 2n)
      assert.deepStrictEqual(elected.supporters?.toSorted(), [1, 2, 3, 4])
    }
  })
})
