import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as fs from "node:fs"
import * as zlib from "node:zlib"
import * as DynamicConfig from "../src/DynamicConfig.ts"
import type { QuorumVerifier } from "../src/QuorumVerifier.ts"

const defaults: DynamicConfig.Options = { standaloneEnabled: true, multiAddress: false }

const get = (text: string, options: Partial<DynamicConfig.Options> = {}): QuorumVerifier =>
  Result.getOrThrow(DynamicConfig.parse(text, { ...defaults, ...options }))

const message = (text: string, options: Partial<DynamicConfig.Options> = {}): string => {
  const result = DynamicConfig.parse(text, { ...defaults, ...options })
  return Result.isFailure(result) ? result.failure.message : `accepted as ${JSON.stringify(result.success.text)}`
}

const server = (sid: bigint | number | string, role = "participant") => `server.${sid}=10.0.0.${sid}:2888:3888:${role}`
const three = [server(1), server(2), server(3)].join("\n")

describe("DynamicConfig.parse accepts", () => {
  it.each<readonly [what: string, text: string, expected: string]>([
    ["no text: nobody, version 0", "", "version=0"],
    ["a version alone", "version=7fffffff", "version=7fffffff"],
    ["members without a version", three, `${three}\nversion=0`],
    ["any order", `version=1F\n${server(3)}\n${server(1)}\n${server(2)}`, `${three}\nversion=1f`],
    ["comments and continuation", `# ours\n${server(1)}\nserver.2=10.0.0.2:\\\n  2888:3888`,
      `${server(1)}\n${server(2)}\nversion=0`],
    ["the last of duplicates", `${server(1, "observer")}\n${server(2)}\n${server(1)}`,
      `${server(1)}\n${server(2)}\nversion=0`],
    ["a single voter", server(1), `${server(1)}\nversion=0`],
    ["negative ids", "server.-1=h:1:2\nserver.-9223372036854775808=h:1:2",
      "server.-1=h:1:2:participant\nserver.-9223372036854775808=h:1:2:participant\nversion=0"],
    ["the largest id", "server.9223372036854775807=h:1:2", "server.9223372036854775807=h:1:2:participant\nversion=0"],
    ["a sign and zeros", "server.+0001=h:1:2\nversion=+00a", "server.1=h:1:2:participant\nversion=a"],
    ["a negative version", "version=-5", "version=fffffffffffffffb"],
    ["the largest version", "version=7fffffffffffffff", "version=7fffffffffffffff"],
    ["a misplaced blank in a key, which hides it", "\\ version=5\nversion\\ =6", "version=0"],
    ["groups and weights", `${three}\ngroup.1=1:2:\ngroup.2=3\nweight.2=5`,
      `${three}\ngroup.1=1:2\ngroup.2=3\nweight.1=1\nweight.2=5\nweight.3=1\nversion=0`],
    ["a negative weight", `${server(1)}\ngroup.1=1\nweight.1=-3`,
      `${server(1)}\ngroup.1=1\nweight.1=-3\nversion=0`]
  ])("%s", (_, text, expected) => {
    assert.strictEqual(get(text).text, expected)
  })

  it("several addresses when they are enabled", () => {
    const text = "server.1=a:1:2|b:1:2:participant\nversion=0"
    assert.strictEqual(get(text, { multiAddress: true }).text, text)
    assert.match(message(text), /^server\.1: Multiple address feature is disabled/)
  })

  it("one voter as an ensemble when it may not stand alone", () => {
    const text = `${server(1)}\n${server(2, "observer")}`
    assert.deepStrictEqual(get(text, { standaloneEnabled: false }).voters, new Set([1n]))
  })
})

describe("DynamicConfig.parse chooses", () => {
  const hierarchical = `${three}\ngroup.1=1:2:3`
  it.each<readonly [text: string, oraclePath: string | undefined, tag: QuorumVerifier["_tag"]]>([
    [three, undefined, "Majority"],
    [hierarchical, undefined, "Hierarchical"],
    ["weight.1=1", undefined, "Hierarchical"],
    [three, "/run/oracle", "Oracle"],
    [hierarchical, "/run/oracle", "Oracle"],
    // With an oracle nobody reads the groups.
    [`${three}\ngroupies=x\nweight=`, "/run/oracle", "Oracle"]
  ])("%j with oracle %s: %s", (text, oraclePath, tag) => {
    assert.strictEqual(get(text, { oraclePath })._tag, tag)
  })

  it("voters and observers", () => {
    const verifier = get(`${three}\n${server(4, "observer")}\ngroup.1=1:2:3\nversion=2`)
    assert.deepStrictEqual(verifier.voters, new Set([1n, 2n, 3n]))
    assert.deepStrictEqual(Array.from(verifier.servers.keys()), [1n, 2n, 3n, 4n])
    assert.strictEqual(verifier.version, 2n)
  })
})

describe("DynamicConfig.parse refuses", () => {
  it.each<readonly [text: string, message: RegExp]>([
    ["foo=bar\nversion=0", /^foo: Unrecognised parameter: foo/],
    ["server=h:1:2", /^server: Unrecognised parameter: server/],
    ["=1", /^: Unrecognised parameter: /],
    ["version=\\u12", /^line 1: Malformed \\uxxxx encoding/],
    ["version=zz", /^version: For input string: "zz"; a version is a hexadecimal number/],
    ["version=", /^version: For input string: ""/],
    ["version=5 ", /^version: For input string: "5 "/],
    ["version=0x5", /^version: For input string: "0x5"/],
    ["version=8000000000000000", /^version: For input string/],
    ["version=fffffffffffffffb", /^version: For input string/],
    ["server.=h:1:2", /^server\.: For input string: ""/],
    ["server.abc=h:1:2", /^server\.abc: For input string: "abc"/],
    ["server.1.2=h:1:2", /^server\.1\.2: For input string: "1\.2"/],
    ["server.9223372036854775808=h:1:2", /For input string: "9223372036854775808"/],
    [`server.${"1".repeat(400)}=h:1:2`, /decimal number of 64 bits/],
    ["server.1=nonsense\nversion=5", /^server\.1: nonsense does not have the form/],
    ["server.1=10.0.0.1:2888:2888:participant", /^server\.1: Client and election port must be different!/],
    ["server.1=10.0.0.1:2888:99999", /^server\.1: .*99999 is outside 0\.\.65535/],
    ["server.1=10.0.0.1:2888:3888:king", /^server\.1: Unrecognised peertype: king/],
    [`${server(1)}\nserver.01=h:1:2`, /^server\.01: 1 is given twice/],
    [server(1, "observer"), /^server: Observers w\/o participants is an invalid configuration/],
    [`${server(1)}\n${server(2, "observer")}`, /^server: Observers w\/o quorum is an invalid configuration/],
    ["weight=1", /^weight: For input string: "weight"/],
    ["group=1", /^group: For input string: "group"/],
    ["groupFoo=", /^groupFoo: For input string: "groupFoo"/],
    ["weight.x=1", /^weight\.x: For input string: "x"/],
    ["weight.1=", /^weight\.1: For input string: ""; a weight is/],
    ["group.1=1:x", /^group\.1: For input string: "x"; a server id/],
    ["group.1=", /^group\.1: For input string: ""/],
    ["group.1=:", /^group\.1: For input string: ""/],
    [`${three}\ngroup.1=1:2\ngroup.2=2:3`, /^group\.2: Server 2 is in multiple groups/],
    [`${three}\ngroup.1=1:2`, /^server\.3: Server 3 is not in a group/],
    [`${three}\nweight.1=1`, /^server\.1: Server 1 is not in a group/],
    [`${three}\ngroup.1=1:2:3:9`, /^group\.1: group 1 names server 9/]
  ])("%j", (text, expected) => {
    assert.match(message(text), expected)
  })

  it.each(["", "version=5", server(1, "observer")])("%j when one server may not stand alone", (text) => {
    assert.match(
      message(text, { standaloneEnabled: false }),
      /^standaloneEnabled: standaloneEnabled = false then number of participants should be >0/
    )
  })
})

describe("DynamicConfig.fromEntries", () => {
  it("passes over other keys, and finds the line of a fault by its key", () => {
    const entries = Result.getOrThrow(DynamicConfig.entries(`tickTime=2000\n\n${three}\nversion=3`))
    const verifier = Result.getOrThrow(DynamicConfig.fromEntries(entries.values(), defaults))
    assert.strictEqual(verifier.text, `${three}\nversion=3`)
    assert.strictEqual(entries.get("server.1")?.line, 3)
  })
})

interface Trace {
  readonly blobs: Record<string, string>
  readonly config: {
    readonly quorum: { readonly text: string }
    readonly lastSeenQuorum: { readonly text: string } | null
  }
  readonly steps: ReadonlyArray<{
    readonly in: { readonly op: string; readonly cfg?: string }
    readonly out: { readonly why: ReadonlyArray<string> }
  }>
}

const golden = (): ReadonlyArray<Trace> =>
  zlib.gunzipSync(fs.readFileSync(new URL("./golden/public.jsonl.gz", import.meta.url)))
    .toString().trim().split("\n").map((line) => JSON.parse(line))

const accepted = /^recv\.(config\.(lower|higher|same|restart)|configRestart)$/
const refused = /^recv\.(config\.unparsable|threadDied)$/

describe("what Java did with", () => {
  const taken = new Set<string>()
  const dropped = new Set<string>()
  for (const { blobs, config, steps } of golden()) {
    taken.add(blobs[config.quorum.text]!)
    if (config.lastSeenQuorum !== null) taken.add(blobs[config.lastSeenQuorum.text]!)
    for (const { in: { cfg }, out: { why } } of steps) {
      if (cfg === undefined) continue
      if (why.some((reason) => accepted.test(reason))) taken.add(blobs[cfg]!)
      if (why.some((reason) => refused.test(reason))) dropped.add(blobs[cfg]!)
    }
  }

  it("texts it took: they read, and print the same", () => {
    assert.isAbove(taken.size, 1000)
    for (const text of taken) assert.strictEqual(get(text).text, text)
  })

  it("texts it could not read, or died of: they are refused", () => {
    assert.isAbove(dropped.size, 10)
    for (const text of dropped) assert.notMatch(message(text), /^accepted/, text)
  })
})

describe("properties of DynamicConfig.parse", () => {
  const sid = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: -40n, maximum: 200n }))
  const member = Schema.Struct({
    sid,
    observer: Schema.Boolean,
    group: Schema.Literals([1n, 2n, 3n]),
    weight: Schema.NullOr(Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 5n })))
  })
  const ensemble = Arbitrary.array(Arbitrary.schema(member))

  it.prop("reads what is printed", [ensemble, Schema.Boolean, sid], ([members, hierarchical, version]) => {
    const bySid = new Map(members.map((one) => [one.sid, one]))
    const lines = [`version=${version.toString(16)}`]
    for (const one of bySid.values()) {
      lines.push(`server.${one.sid}=h:1:2:${one.observer ? "observer" : "participant"}`)
      if (hierarchical && one.weight !== null && !one.observer) lines.push(`weight.${one.sid}=${one.weight}`)
    }
    if (hierarchical) {
      const voters = Array.from(bySid.values()).filter(({ observer }) => !observer)
      for (const [group, list] of Map.groupBy(voters, (one) => one.group)) {
        lines.push(`group.${group}=${list.map((one) => one.sid).join(":")}`)
      }
    }
    const first = DynamicConfig.parse(lines.join("\n"), defaults)
    if (Result.isFailure(first)) {
      const voters = Array.from(bySid.values()).filter(({ observer }) => !observer).length
      return assert.isTrue(voters < 2 && voters < bySid.size, first.failure.message)
    }
    // A negative version prints as sixteen digits and does not read back, in the original neither.
    if (version < 0n) return assert.match(message(first.success.text), /^version: For input string/)
    assert.deepStrictEqual(get(first.success.text), first.success)
  })

  const piece = Arbitrary.schema(Schema.Literals([
    "server.", "group.", "weight.", "version", "=", ":", "1", "2", "10.0.0.1:2888:3888", ":observer", "\n", "\\", "\\u",
    "|", ";", "[", "]", " ", "#", "x", "-"
  ]))
  it.prop("every text has a result", [Arbitrary.array(piece), Schema.Boolean], ([pieces, standaloneEnabled]) => {
    const result = DynamicConfig.parse(pieces.join(""), { ...defaults, standaloneEnabled })
    if (Result.isSuccess(result)) return assert.match(result.success.text, /version=[0-9a-f]+$/)
    assert.strictEqual(result.failure._tag, "InvalidConfig")
  })

  it.prop("any string has a result", [Schema.String], ([text]) => {
    const result = DynamicConfig.parse(text, defaults)
    if (Result.isSuccess(result)) return assert.strictEqual(result.success.servers.size, 0)
    assert.strictEqual(result.failure._tag, "InvalidConfig")
  })
})

describe("DynamicConfig.fileText", () => {
  const verifier = get(`${[12, 2, 1].map((sid) => server(sid)).join("\n")}\ngroup.1=1:2:12\nversion=1F`)
  const lines = [
    "group.1=1:2:12",
    // The 2 of 12 comes before the = of 1.
    "server.12=10.0.0.12:2888:3888:participant",
    "server.1=10.0.0.1:2888:3888:participant",
    "server.2=10.0.0.2:2888:3888:participant"
  ]
  const weights = ["weight.12=1", "weight.1=1", "weight.2=1"]

  it("is sorted as texts are, without the version that the name of the file gives", () => {
    assert.strictEqual(DynamicConfig.fileText(verifier, { withVersion: false }), [...lines, ...weights].join("\n"))
  })

  it("of a pending one says the version", () => {
    const text = DynamicConfig.fileText(verifier, { withVersion: true })
    assert.strictEqual(text, [...lines, "version=1f", ...weights].join("\n"))
    assert.deepStrictEqual(get(text).text, verifier.text)
  })
})
