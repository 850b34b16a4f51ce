import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Address from "../src/Address.ts"

describe("Address.format", () => {
  it.each([
    ["127.0.0.1", 1234, "127.0.0.1:1234"],
    ["zoo-1.example.com", 0, "zoo-1.example.com:0"],
    ["0:0:0:0:0:0:0:1", 65535, "[0:0:0:0:0:0:0:1]:65535"],
    ["::1", 3888, "[::1]:3888"]
  ])("of %s and %d is %s", (host, port, text) => {
    assert.strictEqual(Address.format({ host, port }), text)
  })
})

describe("Address.split (Java: ConfigUtils.getHostAndPort)", () => {
  it.each<readonly [text: string, pieces: ReadonlyArray<string>]>([
    ["[2001:db8:1::242:ac11:2]:2888:3888", ["2001:db8:1::242:ac11:2", "2888", "3888"]],
    ["127.0.0.1:443", ["127.0.0.1", "443"]],
    ["127.0.0.1", ["127.0.0.1"]],
    ["[2001:db8:1::242:ac11:2]", ["2001:db8:1::242:ac11:2"]],
    ["a:", ["a"]],
    ["a:1::", ["a", "1"]],
    ["a::1", ["a", "", "1"]],
    [":1", ["", "1"]],
    ["", [""]],
    ["::1", ["", "", "1"]],
    ["[a]x1:2", ["a", "1", "2"]],
    ["[]:1", ["", "1"]],
    ["[a]b]:1", ["a", "]", "1"]]
  ])("%j gives %j", (text, pieces) => {
    assert.deepStrictEqual(Result.getOrThrow(Address.split(text)), pieces)
  })

  it.each([
    ["[2001:db8::1", /no closing ']'/],
    ["[", /no closing ']'/],
    ["[2001:db8:1::242:ac11:2]:", /doesn't have a port after colon/],
    ["[a]x", /doesn't have a port after colon/]
  ])("%j is refused", (text, problem) => {
    const result = Address.split(text)
    assert(Result.isFailure(result))
    assert.match(result.failure, problem)
  })
})

describe("Address.isWildcard (Java: CnxManagerTest.testWildcardAddressRecognition)", () => {
  it.each(["0.0.0.0", "::", "0:0:0:0:0:0:0:0", "0::0", "0000::", "0", "00.0.0.0", "::0.0.0.0", "::ffff:0.0.0.0"])(
    "%s means every interface",
    (host) => assert.isTrue(Address.isWildcard({ host, port: 1 }))
  )

  it.each([
    "some.unresolvable.host.com",
    "127.0.0.1",
    "255.255.255.255",
    "1.2.3.4",
    "www.google.com",
    "::1",
    "1::",
    ":::",
    "0:0",
    "",
    "localhost"
  ])("%j does not", (host) => assert.isFalse(Address.isWildcard({ host, port: 1 })))
})

describe("Address.parsePort (Java: Integer.parseInt)", () => {
  it.each([["0", 0], ["65535", 65535], ["+3888", 3888], ["-0", 0], ["0000000000000000000001", 1]])(
    "%s is %d",
    (text, port) => assert.strictEqual(Result.getOrThrow(Address.parsePort(text)), port)
  )

  it.each([
    ["65536", /outside 0..65535/],
    ["-1", /outside/],
    ["9".repeat(400), /outside/],
    ["", /is not a port number/],
    ["1.0", /is not/],
    ["0x10", /is not/],
    [" 1", /is not/],
    ["1\n", /is not/],
    ["١", /is not/]
  ])("%j is refused", (text, problem) => {
    const result = Address.parsePort(text)
    assert(Result.isFailure(result))
    assert.match(result.failure, problem)
  })
})
