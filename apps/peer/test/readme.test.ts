/**
 * What the README shows first runs as it is printed: three replicas, one of which does the job.
 */
import { assert, describe, it } from "@effect/vitest"
import { randomInt } from "node:crypto"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { onTestFinished } from "vitest"
import * as Child from "./support/Child.ts"
import * as Transcript from "./support/Transcript.ts"
import * as Workspace from "./support/Workspace.ts"

const README = fileURLToPath(new URL("../../../README.md", import.meta.url))

const SIDS = ["1", "2", "3"] as const

/** Node starts, elects, activates and waits for a second of work; on a busy machine that takes a while. */
const PATIENCE_MS = 30_000

/** The example lies within the package, so that it finds what it imports. */
const example = (): string => {
  const [, code] = /```ts\n([\s\S]*?)```/.exec(readFileSync(README, "utf8")) ?? []
  if (code === undefined) throw new Error("The README has no example")
  const directory = mkdtempSync(join(dirname(fileURLToPath(import.meta.url)), "readme-"))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const file = join(directory, "job.ts")
  writeFileSync(file, code)
  return file
}

interface Work {
  readonly sid: string
  readonly token: bigint
}

const worksOf = ({ stdout }: Child.Child): ReadonlyArray<Work> =>
  stdout.lines.flatMap((line) => {
    const found = /server (\d+) does the job, with token (\d+)/.exec(line)
    return found === null ? [] : [{ sid: found[1]!, token: BigInt(found[2]!) }]
  })

describe("the README's first example", () => {
  it("does the job on one of three replicas, and on another when that is killed", { timeout: 90_000 }, async () => {
    const file = example()
    const cwd = await Workspace.make()
    const net = `127.${randomInt(1, 255)}.${randomInt(0, 256)}`
    const env = { ...process.env, HOSTS: SIDS.map((sid) => `${net}.${sid}`).join(" ") }
    const replicas = new Map(SIDS.map((sid) => [
      sid as string,
      Child.start({ label: `replica ${sid}`, file: process.execPath, args: [file, sid], cwd, env })
    ]))
    const works = (sids: Iterable<string>) => Array.from(sids).flatMap((sid) => worksOf(replicas.get(sid)!))
    const working = (what: string, sids: ReadonlyArray<string>) =>
      Transcript.until(what, sids.map((sid) => replicas.get(sid)!.stdout), PATIENCE_MS, () => works(sids).at(-1))

    const first = await working("somebody does the job", SIDS)
    assert.deepStrictEqual(new Set(works(SIDS).map(({ sid }) => sid)), new Set([first.sid]))
    await replicas.get(first.sid)!.kill("SIGKILL")
    const left = SIDS.filter((sid) => sid !== first.sid)
    const second = await working("another one does the job", left)
    assert.isAbove(Number(second.token), Number(first.token))
    // In good order, another takes over at once, or nobody: one of three is no quorum.
    assert.deepStrictEqual(await replicas.get(second.sid)!.kill("SIGTERM"), { code: 130, signal: null })
  })
})
