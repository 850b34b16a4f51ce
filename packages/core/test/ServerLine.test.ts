import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as QuorumServer from "../src/QuorumServer.ts"
import * as ServerLine from "../src/ServerLine.ts"

const parse = (value: string, multiAddress = false) => ServerLine.parse(1n, value, { multiAddress })

const problem = (value: string, multiAddress = false): string => {
  const result = parse(value, multiAddress)
  return Result.isFailure(result) ? result.failure.problem : `accepted as ${QuorumServer.format(result.success)}`
}

describe("ServerLine", () => {
  it("gives the member", () => {
    assert.deepStrictEqual(Result.getOrThrow(parse("zoo-1:2888:3888:observer;[::1]:2181")), {
      sid: 1n,
      role: "observer",
      addresses: [{ host: "zoo-1", quorumPort: 2888, electionPort: 3888 }],
      clientAddress: { host: "0:0:0:0:0:0:0:1", port: 2181 }
    })
  })

  // Java: QuorumServerTest, and what its InetAddress makes of literals.
  it.each([
    ["127.0.0.1:1234:1236:participant;0.0.0.0:1237", "127.0.0.1:1234:1236:participant;0.0.0.0:1237"],
    ["127.0.0.1:1234:1236;0.0.0.0:1237", "127.0.0.1:1234:1236:participant;0.0.0.0:1237"],
    ["127.0.0.1:1234:1236:observer;0.0.0.0:1237", "127.0.0.1:1234:1236:observer;0.0.0.0:1237"],
    ["127.0.0.1:1234:1236:participant;1237", "127.0.0.1:1234:1236:participant;0.0.0.0:1237"],
    ["example.com:1234:1236:participant;1237", "example.com:1234:1236:participant;0.0.0.0:1237"],
    ["[::1]:1234:1236:participant", "[0:0:0:0:0:0:0:1]:1234:1236:participant"],
    ["127.0.0.1:1234:1236:participant;[::1]:1237", "127.0.0.1:1234:1236:participant;[0:0:0:0:0:0:0:1]:1237"],
    ["h:1:2", "h:1:2:participant"],
    ["h:1:2: OBSERVER ", "h:1:2:observer"],
    ["h:1:2:", "h:1:2:participant"],
    ["h:1:2;", "h:1:2:participant"],
    ["h:1:2;;", "h:1:2:participant"],
    ["h:+1:65535", "h:1:65535:participant"],
    ["h:-0:2", "h:0:2:participant"],
    [":1:2", "localhost:1:2:participant"],
    ["[]:1:2", "localhost:1:2:participant"],
    ["h:1:2;:3", "h:1:2:participant;localhost:3"],
    ["h:1:2;[3]", "h:1:2:participant;0.0.0.0:3"],
    ["[h]:1:2", "h:1:2:participant"],
    ["010.1:1:2", "10.0.0.1:1:2:participant"],
    ["1.2.65535:1:2", "1.2.255.255:1:2:participant"],
    ["4294967295:1:2", "255.255.255.255:1:2:participant"],
    ["4294967296:1:2", "4294967296:1:2:participant"],
    ["1.2.3.256:1:2", "1.2.3.256:1:2:participant"],
    ["1.2.3.4.:1:2", "1.2.3.4.:1:2:participant"],
    ["[2600::]:1:2", "[2600:0:0:0:0:0:0:0]:1:2:participant"],
    ["[2001:DB8::00A]:1:2", "[2001:db8:0:0:0:0:0:a]:1:2:participant"],
    ["[1:2:3:4:5:6:7::]:1:2", "[1:2:3:4:5:6:7:0]:1:2:participant"],
    ["[::ffff:1.2.3.4]:1:2", "1.2.3.4:1:2:participant"],
    ["[::ffff:102:304]:1:2", "1.2.3.4:1:2:participant"],
    ["[::1.2.3.4]:1:2", "[0:0:0:0:0:0:102:304]:1:2:participant"],
    ["[1:2:3:4:5:6:7:8:9]:1:2", "[1:2:3:4:5:6:7:8:9]:1:2:participant"],
    ["[1::2::3]:1:2", "[1::2::3]:1:2:participant"],
    ["[1:2:3:4::5:6:7:8]:1:2", "[1:2:3:4::5:6:7:8]:1:2:participant"],
    ["[fe80::1%eth0]:1:2", "[fe80::1%eth0]:1:2:participant"]
  ])("prints %s as %s", (value, expected) => {
    assert.strictEqual(QuorumServer.format(Result.getOrThrow(parse(value))), expected)
  })

  it.each([
    ["b:1:2|a:3:4", "a:3:4|b:1:2:participant"],
    ["host:1:2|host-a:3:4", "host:1:2|host-a:3:4:participant"],
    ["[::1]:1:2|10.0.0.1:3:4", "[0:0:0:0:0:0:0:1]:1:2|10.0.0.1:3:4:participant"],
    ["a:1:2:observer|b:3:4;5", "a:1:2|b:3:4:observer;0.0.0.0:5"],
    ["a:1:2|b:3:4:observer", "a:1:2|b:3:4:observer"],
    ["a:1:2|a:1:2", "a:1:2:participant"]
  ])("prints several addresses, %s as %s", (value, expected) => {
    assert.strictEqual(QuorumServer.format(Result.getOrThrow(parse(value, true))), expected)
  })

  const form = /does not have the form server_config or server_config;client_config/
  it.each<readonly [value: string, problem: RegExp]>([
    ["", form],
    ["h", form],
    ["h:1", form],
    ["h:1:2:participant:x", form],
    ["::1:1:2", form],
    ["|", form],
    [";2181", form],
    ["h:1:2;a:b:c", form],
    ["h:1:2;2181;2182", form],
    ["h:1:2;;127.0.0.1:2182", form],
    ["h:x:2", /^Address unresolved: h:x; x is not a port number/],
    ["h:1:", form],
    ["h:1: 2", /^Address unresolved: h: 2;/],
    ["h:1:2;x", /^Address unresolved: 0\.0\.0\.0:x;/],
    ["h:1:2;x:", /^Address unresolved: 0\.0\.0\.0:x;/],
    ["h:1:65536", /65536 is outside 0\.\.65535/],
    ["h:-1:2", /-1 is outside 0\.\.65535/],
    ["h:1:2;70000", /70000 is outside 0\.\.65535/],
    ["h:7:7", /^Client and election port must be different! Please update the configuration file on server\.1/],
    ["h:1:2:king", /^Unrecognised peertype: king; write participant or observer/],
    ["[::1:1234:1236:participant", /no closing ']'/],
    ["127.0.0.1:1234:1236:participant;[::1:1237", /no closing ']'/],
    ["[::1]:", /doesn't have a port after colon/],
    ["a:1:2|b:1:2", /^Multiple address feature is disabled, but multiple addresses were specified for sid 1;/]
  ])("refuses %j", (value, expected) => {
    assert.match(problem(value), expected)
  })

  it.each<readonly [value: string, problem: RegExp]>([
    ["a:1:2:observer|b:3:4:participant", /^Multiple addresses should have similar roles: observer vs participant/],
    ["a:1:2|b:3", form],
    ["|a:1:2", form]
  ])("refuses several addresses, %j", (value, expected) => {
    assert.match(problem(value, true), expected)
  })

  it("has no negative zero among the ports", () => {
    assert.isTrue(Object.is(Result.getOrThrow(parse("h:-0:2")).addresses[0]?.quorumPort, 0))
  })

  it("names the key", () => {
    const result = ServerLine.parse(-7n, "nonsense", { multiAddress: false })
    assert.strictEqual(Result.isFailure(result) && result.failure.key, "server.-7")
  })

  const port = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65535 }))
  const host = Schema.Literals(["10.0.0.1", "10.0.0.2", "zoo-1", "zoo.example.com", "0:0:0:0:0:0:0:1"])
  const server = Schema.Struct({
    role: Schema.Literals(["participant", "observer"]),
    addresses: Schema.Array(Schema.Struct({ host, quorumPort: port, electionPort: port })).check(
      Schema.isBetweenLength(1, 3),
      Schema.makeFilter((list) =>
        list.every(({ electionPort, quorumPort }) => electionPort !== quorumPort) &&
        new Set(list.map((address) => address.host)).size === list.length
      )
    ),
    clientAddress: Schema.NullOr(Schema.Struct({ host, port }))
  })

  it.prop("reads what is printed", [server], ([parts]) => {
    const member: QuorumServer.QuorumServer = { sid: 1n, ...parts }
    const text = QuorumServer.format(member)
    const again = Result.getOrThrow(parse(text, true))
    assert.strictEqual(QuorumServer.format(again), text)
    assert.isTrue(QuorumServer.equals(again, member))
  })

  const piece = Arbitrary.schema(
    Schema.Literals(["h", ":", "1", "2", "|", ";", "[", "]", " ", "observer", "-", ".", "%"])
  )
  it.prop("every value has a result", [Arbitrary.array(piece), Schema.Boolean], ([pieces, multiAddress]) => {
    const result = parse(pieces.join(""), multiAddress)
    if (Result.isFailure(result)) return assert.strictEqual(result.failure.key, "server.1")
    const text = QuorumServer.format(result.success)
    assert.strictEqual(QuorumServer.format(Result.getOrThrow(parse(text, true))), text)
  })
})
