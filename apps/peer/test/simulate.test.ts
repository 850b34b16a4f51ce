/**
 * `conclave simulate` as a process: what it prints, and how it ends.
 */
import * as Profile from "@conclave/testkit/Profile"
import * as ScenarioJson from "@conclave/testkit/ScenarioJson"
import { assert, describe, it } from "@effect/vitest"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as Child from "./support/Child.ts"
import * as PeerProcess from "./support/PeerProcess.ts"
import * as Traces from "./support/Traces.ts"
import * as Workspace from "./support/Workspace.ts"

const run = (...args: ReadonlyArray<string>) => conclave("simulate", ...args)

const conclave = async (name: string, ...args: ReadonlyArray<string>) => {
  const child = PeerProcess.command(name, [name, ...args])
  const { code } = await Child.ended(child)
  return { code, out: child.stdout.lines, err: child.stderr.lines }
}

const write = async (text: string): Promise<string> => {
  const file = join(await Workspace.make(), "scenario.json")
  await writeFile(file, text)
  return file
}

describe("conclave simulate", { timeout: 60_000 }, () => {
  it("prints the seed first, then figures, and no bar where there is no terminal", async () => {
    const { code, err, out } = await run("--seed", "7", "--peers", "3", "--profile", "partitions", "--runs", "30")
    assert.strictEqual(code, 0)
    assert.match(out[0] ?? "", /^seed 7, 3 voters, partitions: /)
    assert.match(out.join("\n"), /^30 simulations in .*\n\d+ elections .* in \d+ searches\n\d+ rounds, \d+ messages/m)
    assert.match(out.join("\n"), /without a leader before an election: p50 \d+ ms, p90 \d+ ms, p99 \d+ ms, max \d+ ms/)
    assert.notInclude(err.join("\n"), "[#")
  })

  it("prints one seed event by event, the same every time, and again from what it printed", async () => {
    const args = ["--seed", "5", "--peers", "3", "--profile", "crashes", "--events"]
    const [first, second] = await Promise.all([run(...args), run(...args)])
    assert.deepStrictEqual([first.code, first.out[0]], [0, "seed 5"])
    assert.isAbove(first.out.length, 100)
    assert.deepStrictEqual(second.out, first.out)
    assert.deepStrictEqual((await run("--scenario", await write(first.out[1]!))).out, first.out)
  })

  it("writes one seed as a trace that conclave explain and conclave conform read, over what was there", async () => {
    const file = await write("something else")
    const args = ["--seed", "5", "--peers", "3", "--profile", "crashes", "--trace", file]
    const { code, out } = await run(...args)
    assert.deepStrictEqual([code, out[0], out[2]], [0, "seed 5", "nothing was broken"])
    const first = Traces.read(file)

    const [conform, explain] = await Promise.all([conclave("conform", file), conclave("explain", file)])
    const [, steps] = /: (\d+) steps of \d+ reducers, all as the rules say$/.exec(conform.out[0] ?? "") ?? []
    assert.isAbove(Number(steps), 100)
    assert.match(explain.out.join("\n"), /election of server \d\n {2}why {3}server \d won: /)

    assert.strictEqual((await run(...args)).code, 0)
    assert.deepStrictEqual(Traces.read(file), first)
  })

  it("ends with code 1 when something is broken, and says what", async () => {
    // Without anything that follows an election two leaders need not notice each other, as the testkit's README says.
    const scenario = { ...Profile.draw("crashes", 5, 38), activation: false }
    const { code, err, out } = await run("--scenario", await write(ScenarioJson.format(scenario)))
    assert.strictEqual(code, 1)
    assert.match(out.at(-1) ?? "", /^broken at \d+ ms: after 60000 ms: .*LEADING of .*LEADING of/)
    assert.include(err.join("\n"), "once the faults are over all members soon follow one leader")
  })

  it.each([
    ["a file that is no scenario", ["--scenario", "FILE"], "holds no scenario"],
    ["a profile that does not exist", ["--profile", "fire"], "fire"],
    ["too many peers", ["--peers", "40"], "40 is not within 1 to 31"],
    ["a trace where no file can be", ["--trace", "FILE/no"], "name a file that can be written"]
  ])("ends with code 2 for %s", async (_, args, message) => {
    const file = await write("{}")
    const { code, err } = await run(...args.map((arg) => arg.replace("FILE", file)))
    assert.strictEqual(code, 2)
    assert.include(err.join("\n"), message)
  })
})
