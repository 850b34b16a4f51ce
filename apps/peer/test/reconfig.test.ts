/**
 * What a peer keeps of a changed ensemble, as a process that is killed and started again.
 */
import { assert, describe, it } from "@effect/vitest"
import { readFile, writeFile } from "node:fs/promises"
import * as Child from "./support/Child.ts"
import * as PeerProcess from "./support/PeerProcess.ts"
import * as Transcript from "./support/Transcript.ts"
import * as ZooCfg from "./support/ZooCfg.ts"

const TEST_TIMEOUT_MS = 60_000

const FILES_TIMEOUT_MS = 10_000

const isMember = (line: string): boolean => line.startsWith("server.")

/** The members with these ids, as lines of the `zoo.cfg` that lists them all. */
const membersOf = (text: string, sids: ReadonlyArray<number>): ReadonlyArray<string> =>
  text.split("\n").filter((line) => isMember(line) && sids.some((sid) => line.startsWith(`server.${sid}=`)))

/** Moves the members to a dynamic file of this version, which lists only these; perhaps others are pending. */
const reconfigure = async (
  { file }: ZooCfg.ZooCfg,
  version: number,
  sids: ReadonlyArray<number>,
  next?: ReadonlyArray<number>
): Promise<void> => {
  const text = await readFile(file, "utf8")
  const dynamic = `${file}.dynamic.${version}`
  await writeFile(dynamic, membersOf(text, sids).join("\n"))
  if (next !== undefined) {
    await writeFile(`${file}.dynamic.next`, [...membersOf(text, next), `version=${version + 1}`].join("\n"))
  }
  const kept = text.split("\n").filter((line) => !isMember(line))
  await writeFile(file, [...kept, `dynamicConfigFile=${dynamic}`, ""].join("\n"))
}

/** Four servers, of which 1 and 2 run in version 6 with these members, and a fourth that knows nothing of it. */
const changed = async (members: ReadonlyArray<number>) => {
  const cfgs = await ZooCfg.write({
    members: [1n, 2n, 3n, 4n].map((sid) => ({ sid })),
    keys: { reconfigEnabled: true }
  })
  for (const sid of [1n, 2n]) await reconfigure(cfgs(sid), 6, members)
  const peers = await Promise.all([1n, 2n].map((sid) => PeerProcess.start(cfgs(sid))))
  const leader = await PeerProcess.agreement(peers)
  const ours = await PeerProcess.start(cfgs(4n))
  await Transcript.poll("zoo.cfg points to version 6", [ours.child.stderr], FILES_TIMEOUT_MS, async () =>
    (await readFile(cfgs(4n).file, "utf8")).includes(`dynamicConfigFile=${cfgs(4n).file}.dynamic.6\n`) || undefined)
  return { cfg: cfgs(4n), leader, ours }
}

describe("a peer that learns of a changed ensemble", { timeout: TEST_TIMEOUT_MS }, () => {
  it("knows it when it starts again", async () => {
    const { cfg, leader, ours } = await changed([1, 2, 4])
    await ours.kill("SIGKILL")
    const again = await PeerProcess.start(cfg)
    assert.deepInclude((await again.status()).configuration, { version: "6", role: "participant", note: null })
    await PeerProcess.statusWhen(again, "follows", (status) => status.leader === leader)
  })

  it("and is not in it any more has no vote, says so, and does not start again", async () => {
    const { cfg, leader, ours } = await changed([1, 2, 3])
    const status = await PeerProcess.statusWhen(ours, "follows", (status) => status.leader === leader)
    assert.deepInclude(status.configuration, { version: "6", role: null })
    assert.match(status.configuration?.note ?? "", /does not list server 4/)
    assert.lengthOf(ours.child.stderr.lines.filter((line) => /WARN.*does not list server 4/.test(line)), 1)
    await ours.kill("SIGKILL")
    const again = PeerProcess.command("removed", ["peer", "--config", cfg.file])
    assert.strictEqual((await Child.ended(again)).code, 2)
    assert.isTrue([...again.stderr.lines, ...again.stdout.lines].some((line) => line.includes("reconfig -add")))
  })
})

describe("a peer that has seen a configuration that is pending", { timeout: TEST_TIMEOUT_MS }, () => {
  it("does not lead without a quorum of that", async () => {
    const cfgs = await ZooCfg.write({ members: [{ sid: 1n }, { sid: 2n }], keys: { reconfigEnabled: true } })
    for (const sid of [1n, 2n]) await reconfigure(cfgs(sid), 5, sid === 1n ? [1] : [1, 2], [1, 2])
    const one = await PeerProcess.start(cfgs(1n))
    assert.isTrue(one.child.stderr.lines.some((line) => line.includes("configuration 6 is pending")))
    const two = await PeerProcess.start(cfgs(2n))
    await PeerProcess.agreement([one, two])
    // Alone, as the configuration in force would allow, it would have elected itself first.
    assert.deepStrictEqual(PeerProcess.leadersOf([one]), [2n])
  })
})
