import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as StaticFile from "../src/StaticFile.ts"

const file = "/etc/zoo.cfg.dynamic.1f"

const edit = (text: string, namesClientAddress = false, dynamicConfigFile = file): string =>
  Result.getOrThrow(StaticFile.parse(text)).edited({ dynamicConfigFile, namesClientAddress })

const pointer = `dynamicConfigFile=${file}\n`

describe("a zoo.cfg whose members have moved", () => {
  it("keeps its settings, comments and blank lines as they were", () => {
    const kept = "# ours\n\ntickTime : 2000\n  dataDir=/da\\\n    ta\n! end\n"
    assert.strictEqual(edit(`${kept}server.1=a:1:2\ngroup.1=1\nweight.1=3\npeerType=observer\n`), `${kept}${pointer}`)
  })

  it.each<readonly [what: string, before: string, after: string]>([
    ["nothing", "", pointer],
    ["a pointer", "dynamicConfigFile=/old\ntickTime=1\n", `tickTime=1\n${pointer}`],
    ["no last line end", "server.1=a:1:2\ntickTime=1", `tickTime=1\n${pointer}`],
    ["a last line that goes on", "server.1=a:1:2\ndataDir=/a\\", `dataDir=/a\\\n\n${pointer}`],
    ["a last line that ends in a backslash", "dataDir=/a\\\\", `dataDir=/a\\\\\n${pointer}`],
    ["members over several lines", "server.1=a:\\\n  1:\\\n  2\ntickTime=1\n", `tickTime=1\n${pointer}`],
    ["members given twice", "server.1=a:1:2\ntickTime=1\nserver.1=b:1:2\n", `tickTime=1\n${pointer}`],
    ["blanks before a key", "  server.1 = a:1:2\n\tserver.2 a:1:2\ntickTime=1\n", `tickTime=1\n${pointer}`],
    ["other line ends", "a=1\r\nserver.1=a:1:2\r\nb=2\r\n", `a=1\r\nb=2\r\n${pointer}`],
    ["the oldest line ends", "a=1\rserver.1=a:1:2\rb=2\r", `a=1\rb=2\r${pointer}`],
    ["a comment that looks like a member", "#server.1=a:1:2\n", `#server.1=a:1:2\n${pointer}`],
    ["a client port", "clientPort=1\nserver.1=a:1:2\n", `clientPort=1\n${pointer}`]
  ])("with %s", (_, before, after) => {
    assert.strictEqual(edit(before), after)
  })

  it("has no client port of its own where the members name one", () => {
    const text = "clientPort=1\nclientPortAddress=h\nsecureClientPort=2\n"
    assert.strictEqual(edit(text, true), `secureClientPort=2\n${pointer}`)
  })

  it("says where they are in a way that any charset and Java's escapes leave alone", () => {
    const text = edit("", false, "/dä\\ta/zoo.cfg.dynamic.1")
    assert.strictEqual(text, "dynamicConfigFile=/d\\u00e4\\\\ta/zoo.cfg.dynamic.1\n")
  })

  it("is the same when it is edited again", () => {
    const once = edit("tickTime=1\nserver.1=a:1:2\n")
    assert.strictEqual(edit(once), once)
  })

  it("is not taken for one that lists members", () => {
    const has = (text: string) => Result.getOrThrow(StaticFile.parse(text)).hasMembers
    assert.deepStrictEqual([has("weight.1=2"), has("server.1=a:1:2"), has(edit("server.1=a:1:2"))], [true, true, false])
  })

  it("is refused where it cannot be read", () => {
    const parsed = StaticFile.parse("a=1\nb=\\u12\n")
    assert.isTrue(Result.isFailure(parsed) && parsed.failure.line === 2)
  })
})
