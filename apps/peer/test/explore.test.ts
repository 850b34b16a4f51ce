/**
 * `conclave explore` as a process: what it prints, and how it ends.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Child from "./support/Child.ts"
import * as PeerProcess from "./support/PeerProcess.ts"

const run = async (...args: ReadonlyArray<string>) => {
  const child = PeerProcess.command("explore", ["explore", ...args])
  const { code } = await Child.ended(child)
  return { code, out: child.stdout.lines, err: child.stderr.lines }
}

describe("conclave explore election", { timeout: 60_000 }, () => {
  it("prints the bounds first, then figures, and no progress where there is no terminal", async () => {
    const args = ["--peers", "3", "--rounds", "2", "--crashes", "0", "--losses", "0"]
    const { code, err, out } = await run("election", ...args)
    assert.strictEqual(code, 0)
    assert.strictEqual(
      out[0],
      "3 voters, 2 rounds, crashes 0, losses 0, breaks 0, timeouts 0, looks 1, epochs 0; rules conclave"
    )
    assert.match(out[1] ?? "", /^\d{4,} states, \d{4,} steps, depth \d+: complete$/)
    assert.match(out[2] ?? "", /^\d+\.\d s, \d+ states a second, \d+ MiB$/)
    assert.match(out[3] ?? "", /^\d+ states of peers, \d+ messages, .* quiet states lead to a leader$/)
    assert.notInclude(err.join("\n"), "depth")
  })

  it("says so when there are more states than it may see", async () => {
    const { code, out } = await run("election", "--states-max", "1000", "--rules", "zookeeper")
    assert.strictEqual(code, 0)
    assert.match(out[0] ?? "", /rules zookeeper$/)
    assert.match(out[1] ?? "", /not complete: too many states$/)
  })

  it("ends with code 1 when something is broken, and tells the shortest way there", async () => {
    const { code, err, out } = await run("election", "--refute", "supporters")
    assert.strictEqual(code, 1)
    assert.include(out[0] ?? "", "who believes in a quorum has one that still votes so")
    const steps = out.filter((line) => /^ +\d+\. server \d /.test(line))
    assert.lengthOf(steps, 3)
    assert.include(steps[2] ?? "", "FinalizeTimeout")
    assert.include(out.join("\n"), "after 3 steps, and no fewer:")
    assert.include(err.join("\n"), "conclave explore election --refute supporters")
  })

  it.each([
    ["too many peers", ["election", "--peers", "9"], "9 is not within 1 to 7"],
    ["a claim that nobody makes", ["election", "--refute", "nothing"], "nothing"]
  ])("ends with code 2 for %s", async (_, args, message) => {
    const { code, err } = await run(...args)
    assert.strictEqual(code, 2)
    assert.include(err.join("\n"), message)
  })
})

describe("conclave explore connections", { timeout: 60_000 }, () => {
  it("prints the bounds first, then figures", async () => {
    const { code, out } = await run("connections", "--breaks", "0", "--rules", "mixed", "--patient")
    assert.strictEqual(code, 0)
    assert.strictEqual(
      out[0],
      "2 voters, breaks 0, crashes 1, outages 0, failures 0, requests 0, changes 0, strangers 0, probes 0; " +
        "rules mixed, timers patient"
    )
    assert.match(out[1] ?? "", /^\d{3,} states, \d{4,} steps, depth \d+: complete$/)
    assert.match(out[2] ?? "", /^\d+\.\d s, \d+ states a second, \d+ MiB$/)
    assert.match(out[3] ?? "", /^\d+ states of peers, .* \d{2,} states lead to rest/)
  })

  it("ends with code 1 when something is broken, and tells the shortest way there", async () => {
    const { code, err, out } = await run("connections", "--refute", "original")
    assert.strictEqual(code, 1)
    assert.strictEqual(out.filter((line) => /^ +\d+\. server \d /.test(line)).length, 4)
    const last = "server 2 reads who it is in the call of server 1 to server 2 (1) -> closes (Replaced)"
    assert.include(out.join("\n"), last)
    assert.include(err.join("\n"), "conclave explore connections --refute original")
  })

  it("ends with code 2 for more peers than there is room for", async () => {
    const { code, err } = await run("connections", "--peers", "5")
    assert.strictEqual(code, 2)
    assert.include(err.join("\n"), "5 is not within 2 to 4")
  })
})

describe("conclave explore leadership", { timeout: 60_000 }, () => {
  it("prints the bounds first, then figures", async () => {
    const args = ["--terms", "1", "--dials", "2", "--crashes", "0", "--losses", "0", "--leased"]
    const { code, out } = await run("leadership", ...args)
    assert.strictEqual(code, 0)
    assert.strictEqual(
      out[0],
      "3 voters, leased, terms 1, dials 2, crashes 0, losses 0, ticks 0, resignations 0, failures 0"
    )
    assert.match(out[1] ?? "", /^\d{4,} states, \d{4,} steps, depth \d+: complete$/)
    assert.match(out[2] ?? "", /^\d+\.\d s, \d+ states a second, \d+ MiB$/)
  })

  it("ends with code 1 when something is broken, and tells the shortest way there with names that stay", async () => {
    const { code, err, out } = await run("leadership", "--refute", "proposal")
    assert.strictEqual(code, 1)
    assert.strictEqual(out[0], "it looks true: no two propose the same epoch")
    const steps = out.filter((line) => /^ +\d+\. server \d /.test(line))
    assert.lengthOf(steps, 7)
    assert.include(steps[0] ?? "", "server 1 takes itself for the leader")
    assert.include(steps[6] ?? "", "server 1 gets FOLLOWERINFO of server 3, decides epoch 1")
    assert.include(err.join("\n"), "conclave explore leadership --refute proposal")
  })

  it("ends with code 2 for more than a state has room for", async () => {
    const { code, err } = await run("leadership", "--terms", "16")
    assert.strictEqual(code, 2)
    assert.include(err.join("\n"), "16 is not within 0 to 15")
  })
})
