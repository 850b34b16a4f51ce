import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as ZooConfig from "../src/ZooConfig.ts"
import type { ZooConfigError } from "../src/ZooConfigError.ts"
import type { Override } from "../src/ZooSettings.ts"

const base = ["dataDir=/data", "initLimit=10", "syncLimit=5"]
const servers = ["server.1=zoo-1:2888:3888", "server.2=zoo-2:2888:3888", "server.3=zoo-3:2888:3888"]

interface Input {
  readonly myid?: string
  readonly dynamic?: string
  readonly next?: string
  readonly overrides?: ReadonlyMap<string, Override>
}

const configure = (text: string, { dynamic, myid = "1\n", next, overrides }: Input) =>
  Result.flatMap(ZooConfig.parse(text, { file: "zoo.cfg", overrides }), (draft) =>
    ZooConfig.complete(draft, {
      myid: { file: "/data/myid", text: myid },
      dynamic: dynamic === undefined ? null : { file: draft.dynamicConfigFile ?? "none", text: dynamic },
      next: next === undefined ? null : { file: "zoo.cfg.dynamic.next", text: next }
    }))

const get = (text: string, input: Input) => Result.getOrThrow(configure(text, input))

const refused = (text: string, input: Input): ZooConfigError => {
  const result = configure(text, input)
  return Result.isFailure(result) ? result.failure : assert.fail(`accepted:\n${text}`)
}

describe("myid", () => {
  it.each<readonly [myid: string, problem: string]>([
    ["", "serverid  is not a number"],
    ["one\n", "serverid one is not a number"],
    ["1 2", "serverid 1 2 is not a number"],
    ["9223372036854775808", "serverid 9223372036854775808 is not a number"],
    ["4", "My id 4 not in the peer list of zoo.cfg"],
    ["-1", "My id -1 not in the peer list of zoo.cfg"]
  ])("%j is refused", (myid, problem) => {
    const error = refused([...base, ...servers].join("\n"), { myid })
    assert.deepStrictEqual([error.file, error.line, error.problem], ["/data/myid", 1, problem])
  })
})

describe("a dynamic file", () => {
  const cfg = [...base, "dynamicConfigFile=/etc/zoo.cfg.dynamic.1f"].join("\n")

  it("holds the members, and its name their version", () => {
    const { verifier } = get(cfg, { dynamic: servers.join("\n") })
    assert.strictEqual(verifier.version, 31n)
    assert.strictEqual(verifier.servers.size, 3)
  })

  it.each([
    ["/etc/zoo.cfg.dynamic", 0n],
    ["/etc/zoo.cfg.dynamic.ffffffffffffffff", 0n],
    ["/etc/conf.ad", 0xadn]
  ])("%s has version %d", (file, version) => {
    const text = [...base, `dynamicConfigFile=${file}`].join("\n")
    assert.strictEqual(get(text, { dynamic: servers.join("\n") }).verifier.version, version)
  })

  it.each<readonly [line: string, problem: string]>([
    ["version=5", "dynamic file shouldn't have version inside"],
    ["tickTime=5", "Unrecognised parameter: tickTime"],
    ["server.2=h:1:2", "server.2 is given on line 2 too"],
    ["group.1=1:2:x", "For input string: \"x\"; a server id (group.G=sid:sid:...) is a decimal number of 64 bits"]
  ])("may not say %s", (line, problem) => {
    const error = refused(cfg, { dynamic: [...servers, line].join("\n") })
    assert.deepStrictEqual(
      [error.file, error.line, error.text, error.problem],
      ["/etc/zoo.cfg.dynamic.1f", 4, line, problem]
    )
  })

  it("leaves no members to zoo.cfg", () => {
    const error = refused(`${cfg}\nweight.1=1`, { dynamic: servers.join("\n") })
    assert.deepStrictEqual([error.file, error.line], ["zoo.cfg", 5])
    assert.strictEqual(error.problem, "parameter: weight.1 must be in a separate dynamic config file")
  })

  it("is not blamed for what zoo.cfg says", () => {
    const error = refused(`${cfg}\nstandaloneEnabled=false`, { dynamic: "server.1=h:1:2:observer" })
    assert.deepStrictEqual([error.file, error.line, error.text], ["zoo.cfg", 5, "standaloneEnabled=false"])
  })

  it("named by a flag draws a warning, because what the ensemble changes is written elsewhere", () => {
    const overrides = new Map([["dynamicConfigFile", { value: "/etc/zoo.cfg.dynamic.1f", flag: "--set" }]])
    const warned = (...more: ReadonlyArray<string>) =>
      get([...base, ...more].join("\n"), { dynamic: servers.join("\n"), overrides }).warnings.map(({ key }) => key)
    assert.deepStrictEqual([warned(), warned("reconfigEnabled=true")], [[], ["dynamicConfigFile"]])
    assert.deepStrictEqual(get(`${cfg}\nreconfigEnabled=true`, { dynamic: servers.join("\n") }).warnings, [])
  })

  it("is named where my id is missing from it, perhaps because this server was removed", () => {
    const error = refused(cfg, { dynamic: servers.join("\n"), myid: "7" })
    assert.strictEqual(error.problem, "My id 7 not in the peer list of /etc/zoo.cfg.dynamic.1f")
    assert.match(error.remedy, /^if the others removed this server: .*reconfig -add/)
  })

  it("may be accompanied by one that is pending, with its version inside", () => {
    const next = [...servers, "server.4=zoo-4:2888:3888", "version=20"].join("\n")
    const { lastSeen } = get(cfg, { dynamic: servers.join("\n"), next })
    assert.deepStrictEqual([lastSeen?.version, lastSeen?.voters.size], [32n, 4])
    assert.strictEqual(get(cfg, { dynamic: servers.join("\n") }).lastSeen, null)
  })

  it("is not read for less than it is: a pending one at fault is named", () => {
    const error = refused(cfg, { dynamic: servers.join("\n"), next: "server.1=zoo-1:2888" })
    assert.strictEqual(error.file, "zoo.cfg.dynamic.next")
    assert.match(error.remedy, /^restore the file/)
  })
})
