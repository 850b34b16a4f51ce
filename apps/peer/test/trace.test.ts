/**
 * Traces of separate processes: they are written as things happen, conform, and can be told.
 */
import * as Json from "@conclave/core/Json"
import { assert, describe, it } from "@effect/vitest"
import { writeFile } from "node:fs/promises"
import * as Child from "./support/Child.ts"
import * as PeerProcess from "./support/PeerProcess.ts"
import * as Traces from "./support/Traces.ts"
import * as ZooCfg from "./support/ZooCfg.ts"

const TEST_TIMEOUT_MS = 60_000

const run = async (...args: ReadonlyArray<string>) => {
  const child = PeerProcess.command(args.join(" "), args)
  const { code } = await Child.ended(child)
  return { code, stdout: child.stdout.lines.join("\n"), stderr: child.stderr.lines.join("\n") }
}

// Three peers; the leader is ended in good order, so that another is named, and comes back late.
const threePeers = async () => {
  const cfgs = await ZooCfg.write({ members: [{ sid: 1n }, { sid: 2n }, { sid: 3n }] })
  const peers = await Promise.all([1n, 2n, 3n].map((sid) => PeerProcess.start(cfgs(sid))))
  const leader = await PeerProcess.agreement(peers)
  await Promise.all(peers.map((peer) => PeerProcess.activated(peer)))
  const first = peers.find(({ sid }) => sid === leader)!
  const others = peers.filter(({ sid }) => sid !== leader)
  first.send("stop")
  await Child.ended(first.child)
  const next = await PeerProcess.agreement(others)
  const back = await PeerProcess.start(cfgs(leader))
  assert.strictEqual(await PeerProcess.agreement([...others, back]), next)
  for (const peer of [...others, back]) {
    peer.send("stop")
    await Child.ended(peer.child)
  }
  return { files: [1n, 2n, 3n].map((sid) => Traces.fileOf(cfgs(sid))), leader, next }
}

describe("traces of three processes", { timeout: TEST_TIMEOUT_MS }, () => {
  it("conform, are told, and are refused at the line that was changed", async () => {
    const { files, leader, next } = await threePeers()

    const conform = await run("conform", ...files)
    assert.strictEqual(conform.code, 0, conform.stderr)
    const counts = Array.from(conform.stdout.matchAll(/: (\d+) steps of (\d+) reducers, all as the rules say$/gm))
    assert.strictEqual(counts.length, 3)
    for (const [, steps, reducers] of counts) {
      assert.isAbove(Number(steps), 30)
      assert.isAbove(Number(reducers), 3)
    }

    const { stdout: story } = await run("explain", ...files)
    assert.include(story, `election of server ${leader}\n  why   server ${leader} won: `)
    assert.match(story, /changed its mind from server \d to \d, because of server \d: histories are equal/)
    assert.match(story, new RegExp(`server ${leader}: leads in epoch 1: [123, ]+ accepted it, a quorum`))
    assert.match(story, /leads no longer: it resigned; server \d is to lead next/)
    assert.include(story, `election of server ${next}\n  why   server ${next} leads`)
    assert.match(story, new RegExp(`server ${leader} began to look \\d+ ms after the first decision`))
    assert.match(story, /left: the leader resigned/)

    const lines = Traces.read(files[0]!)
    const at = lines.findLastIndex((line) => line.includes("\"_tag\":\"Elected\""))
    const line = Json.parse(lines[at]!) as { outputs: Array<Record<string, unknown>> }
    const elected = line.outputs.findIndex(({ _tag }) => _tag === "Elected")
    line.outputs[elected]!["state"] = "OBSERVING"
    const tampered = `${files[0]}.tampered`
    await writeFile(tampered, [...lines.slice(0, at), Json.stringify(line), ...lines.slice(at + 1)].join("\n"))
    const refused = await run("conform", files[1]!, tampered, files[2]!)
    assert.strictEqual(refused.code, 1)
    assert.include(refused.stderr, `${tampered}: line ${at + 1}: election`)
    assert.match(refused.stderr, /found .*"state":"OBSERVING"/)
  })

  it("cannot be written where no file can be: the peer says so and does not start", async () => {
    const cfgs = await ZooCfg.write({ members: [{ sid: 1n }] })
    const { code, stderr } = await run("peer", "--config", cfgs(1n).file, "--trace", `${cfgs(1n).dataDir}/no/trace`)
    assert.strictEqual(code, 2)
    assert.include(stderr, "no/trace")
    assert.include(stderr, "name a file that can be written")
  })
})

describe("what is no trace", () => {
  it.each(["explain", "conform"])("is refused by conclave %s", async (command) => {
    const { file } = (await ZooCfg.write({ members: [{ sid: 1n }] }))(1n)
    const { code, stderr } = await run(command, file)
    assert.strictEqual(code, command === "explain" ? 2 : 1)
    assert.include(stderr, file)
  })
})
