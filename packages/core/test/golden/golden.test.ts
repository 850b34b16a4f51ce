import { assert, beforeAll, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { execPath } from "node:process"
import { gzipSync } from "node:zlib"
import { createPeer } from "./adapter.ts"
import { main } from "./main.ts"
import { replay } from "./Replay.ts"
import * as Report from "./Report.ts"
import * as Trace from "./Trace.ts"

const FILE = join(import.meta.dirname, "public.jsonl.gz")

/** The traces in which the checker's own faults are looked for. */
const SAMPLE = 300

describe("golden traces", () => {
  it("the core decides as the original in all of them", { timeout: 60_000 }, async () => {
    const problems: Array<string> = []
    let traces = 0
    for await (const trace of Trace.read(FILE)) {
      traces++
      const verdict = replay(trace, createPeer)
      if (!verdict.agrees && problems.length < 3) problems.push(Report.render(trace, verdict))
    }
    assert.deepStrictEqual(problems, [])
    assert.strictEqual(traces, 1500)
  })
})

type Change = (out: Trace.Outcome) => Trace.Outcome | undefined

const withRecord = (trace: Trace.Trace, at: number, out: Trace.Outcome): Trace.Trace => ({
  ...trace,
  steps: trace.steps.map((step, index) => index === at ? { ...step, out } : step)
})

describe("the checker", () => {
  let sample: ReadonlyArray<Trace.Trace> = []

  beforeAll(async () => {
    const read: Array<Trace.Trace> = []
    for await (const trace of Trace.read(FILE)) if (read.push(trace) === SAMPLE) break
    sample = read
  })

  const falsified = (change: Change) => {
    for (const trace of sample) {
      const crash = trace.steps.findIndex(({ out }) => Trace.isBugcompat(out))
      for (const [at, { out }] of trace.steps.slice(0, crash < 0 ? undefined : crash).entries()) {
        const changed = change(out)
        if (changed !== undefined) return { at, trace: withRecord(trace, at, changed) }
      }
    }
    throw new Error("no step of the sample can be changed so")
  }

  const first = (change: (sent: Trace.Sent) => Partial<Trace.Sent>): Change => (out) => {
    const [sent, ...rest] = out.sent
    return sent === undefined ? undefined : { ...out, sent: [{ ...sent, ...change(sent) }, ...rest] }
  }

  const firstVote = (votes: Trace.Outcome["recvset"], change: Partial<Trace.Vote>): Trace.Outcome["recvset"] => {
    const entry = Object.entries(votes ?? {})[0]
    return entry === undefined ? undefined : { ...votes, [entry[0]]: { ...entry[1], ...change } }
  }

  // Each row falsifies the first record that it can, and the checker must point there and name the field.
  it.each<readonly [what: string, change: Change, named: RegExp]>([
    ["the clock", (out) => ({ ...out, clock: "77" }), /^clock$/],
    ["the state", (out) => out.returned === null ? undefined : { ...out, state: "LOOKING" }, /^state$/],
    ["the proposal", (out) => out.waiting && { ...out, proposal: { ...out.proposal, zxid: "78" } } || undefined,
      /^proposal$/],
    ["the kind of timer", (out) => out.waiting?.kind === "finalize" ? { ...out, waiting: { kind: "notify", ms: 200 } }
      : undefined, /^waiting$/],
    ["the length of the timer", (out) => out.waiting && { ...out, waiting: { ...out.waiting, ms: 201 } } || undefined,
      /^waiting$/],
    ["no timer", (out) => out.waiting && { ...out, waiting: null } || undefined, /^waiting$/],
    ["a message's proposal", first(() => ({ leader: "79" })), /^message 1 to /],
    ["a message's round", first(() => ({ electionEpoch: "80" })), /^message 1 to /],
    ["a message's state", first(() => ({ state: "OBSERVING" })), /^message 1 to /],
    ["a message's version", first(() => ({ version: 1 })), /^message 1 to /],
    ["a message's bytes", first(({ hex }) => ({ hex: `${hex.slice(0, -2)}ff` })), /^bytes 43 and on of message 1 to /],
    ["a message's length", first(({ hex }) => ({ hex: `${hex}00` })), /^bytes \d+ and on of message 1 to /],
    ["a message less", (out) => out.sent[0] && { ...out, sent: out.sent.slice(1) }, /^message 1 to /],
    ["a message more", (out) => out.sent[0] && { ...out, sent: [...out.sent, out.sent[0]] }, /^message \d+ to /],
    ["another recipient", first(({ to }) => ({ to: ["81", ...to.slice(1)] })), /^message 1 to /],
    ["messages in another order", (out) => {
      const [a, b] = out.sent
      const differ = a !== undefined && b !== undefined && a.leader !== b.leader && a.to.some((to) => b.to.includes(to))
      return differ ? { ...out, sent: [b, a, ...out.sent.slice(2)] } : undefined
    }, /^message 1 to /],
    ["the vote returned", (out) => out.returned?.threw === undefined && out.returned?.vote
      ? { ...out, returned: { vote: { ...out.returned.vote, peerEpoch: "82" } } }
      : undefined, /^returned$/],
    ["no vote returned", (out) => out.returned && { ...out, returned: null } || undefined, /^returned$/],
    ["the current vote", (out) => out.currentVote
      ? { ...out, currentVote: { ...out.currentVote, electionEpoch: "83" } }
      : undefined, /^currentVote$/],
    ["a vote of this round", (out) => {
      const recvset = out.waiting ? firstVote(out.recvset, { zxid: "84" }) : undefined
      return recvset && { ...out, recvset }
    }, /^recvset$/],
    ["a vote of this round left out", (out) => {
      const { recvset, ...rest } = out
      return out.waiting && Object.keys(recvset ?? {}).length > 0 ? rest : undefined
    }, /^recvset$/],
    ["a vote out of the election", (out) => {
      const outofelection = out.waiting ? firstVote(out.outofelection, { state: "OBSERVING" }) : undefined
      return outofelection && { ...out, outofelection }
    }, /^outofelection$/],
    ["attempts to connect", (out) => ({ ...out, connectAll: (out.connectAll ?? 0) + 1 }), /^connectAll$/],
    ["what is queued", (out) => out.queued === undefined ? undefined : { ...out, queued: out.queued + 1 }, /^queued$/],
    ["a restart", (out) => ({ ...out, restarted: true, returned: null }), /^restarted$/]
  ])("finds %s falsified", (_, change, named) => {
    const { at, trace } = falsified(change)
    const verdict = replay(trace, createPeer)
    assert(!verdict.agrees, "not found")
    assert.strictEqual(verdict.at, at)
    assert.match(verdict.differences[0]!.what, named)
    assert.notStrictEqual(verdict.differences[0]!.want, verdict.differences[0]!.got)
  })

  it("compares a trace in which the original crashes up to the step before", () => {
    const trace = sample.find(({ steps }) => steps.some(({ out }) => Trace.isBugcompat(out)))!
    const crash = trace.steps.findIndex(({ out }) => Trace.isBugcompat(out))
    const falsify = (at: number) => replay(withRecord(trace, at, { ...trace.steps[at]!.out, clock: "86" }), createPeer)
    assert.deepStrictEqual(falsify(crash), { agrees: true, compared: crash })
    assert(crash > 0)
    assert.deepInclude(falsify(crash - 1), { agrees: false, at: crash - 1 })
  })

  it("takes whatever throws for a difference", () => {
    const trace = sample[0]!
    const input = { op: "deliver", from: "x", hex: "" } as const
    const verdict = replay({ ...trace, steps: [trace.steps[0]!, { ...trace.steps[1]!, in: input }] }, createPeer)
    assert(!verdict.agrees)
    assert.strictEqual(verdict.at, 1)
    assert.match(verdict.differences[0]!.got, /^it threw: SyntaxError/)
    const unmade = replay({ ...trace, blobs: {} }, createPeer)
    assert(!unmade.agrees)
    assert.strictEqual(unmade.at, -1)
  })

  it("tells what led to a difference, what was wanted and why", () => {
    const { trace } = falsified((out) => out.returned && { ...out, clock: "87" } || undefined)
    const verdict = replay(trace, createPeer)
    assert(!verdict.agrees)
    const lines = Report.render(trace, verdict).split("\n")
    assert.strictEqual(lines[0], `${trace.id} (${trace.profile}) differs at step ${verdict.at}`)
    assert.include(lines, `     why: ${trace.steps[verdict.at]!.out.why!.join(" ")}`)
    assert.deepStrictEqual(lines.slice(-3), ["  clock", "    want 87", `    got  ${verdict.differences[0]!.got}`])
  })

  it("as a command says by its exit status whether all agree", async () => {
    const directory = mkdtempSync(join(tmpdir(), "golden-"))
    const write = (name: string, content: string | Uint8Array): string => {
      const file = join(directory, name)
      writeFileSync(file, content)
      return file
    }
    const run = async (...args: ReadonlyArray<string>) => {
      const printed: Array<string> = []
      const complaints: Array<string> = []
      const status = await main(args, (line) => printed.push(line), (line) => complaints.push(line))
      return { status, last: printed.at(-1), complaint: complaints.join("\n").replaceAll(directory, "") }
    }
    const lines = sample.slice(0, 3).map((trace) => JSON.stringify(trace))
    const falsified = JSON.stringify(withRecord(sample[0]!, 0, { ...sample[0]!.steps[0]!.out, clock: "88" }))
    const trouble = (complaint: string) => ({ status: 2, last: undefined, complaint })
    const usage = "usage: node packages/core/test/golden/main.ts FILE [--show N]"
    const problem = (file: string, problem: string) => trouble(`cannot read /${file}: ${problem}`)
    try {
      const agreeing = write("all", `\n${lines.join("\r\n")}`)
      assert.deepStrictEqual(await run(agreeing), { status: 0, last: "3 of 3 traces agree", complaint: "" })
      const differing = write("some.jsonl.gz", gzipSync(`${falsified}\n${lines[1]}\n`))
      const { last, status } = await run(differing, "--show", "0")
      assert.deepStrictEqual({ last, status }, { last: "1 of 2 traces agree", status: 1 })
      const torn = write("torn.gz", gzipSync(lines[0]!).subarray(0, 500))
      assert.deepStrictEqual(await run(torn), problem("torn.gz", "unexpected end of file"))
      assert.deepStrictEqual(await run(write("a", `${lines[0]}\nb`)), problem("a", "line 2 is not JSON"))
      assert.deepStrictEqual(await run(write("b", "[]")), problem("b", "line 1 is not a trace: it has no steps"))
      assert.deepStrictEqual(await run(write("c", "")), problem("c", "it holds no traces"))
      assert.strictEqual((await run(join(directory, "missing"))).status, 2)
      assert.deepStrictEqual(await run(), trouble(`exactly one file is needed\n${usage}`))
      assert.deepStrictEqual(await run("a", "--show", "x"), trouble(`--show wants a number, not x\n${usage}`))
      const process = spawnSync(execPath, [join(import.meta.dirname, "main.ts"), differing], { encoding: "utf8" })
      assert.strictEqual(process.status, 1)
      assert.match(process.stdout, /clock\n {4}want 88\n {4}got {2}1\n\n1 of 2 traces agree\n$/)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })
})
