import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as DynamicConfig from "../../src/DynamicConfig.ts"
import * as InitialMessage from "../../src/InitialMessage.ts"
import * as QuorumServer from "../../src/QuorumServer.ts"
import type { QuorumVerifier } from "../../src/QuorumVerifier.ts"
import { concat, toHex } from "../support/Bytes.ts"
import * as Conversation from "./Conversation.ts"
import * as Recording from "./Recording.ts"

/** How much of everything is in a recording. */
interface Amounts {
  readonly connections: number
  readonly initialMessage: number
  readonly authPacket: number
  readonly notification: number
  readonly incomplete: number
  readonly bytes: number
}

const amounts = (
  connections: number,
  initialMessage: number,
  authPacket: number,
  notification: number,
  incomplete: number,
  bytes: number
): Amounts => ({ connections, initialMessage, authPacket, notification, incomplete, bytes })

// Counted by the recorder, not by the code under test.
const recordings: ReadonlyArray<readonly [name: string, expected: Amounts]> = [
  ["election-v1-cold", amounts(10, 7, 0, 15, 0, 3665)],
  ["election-v1-hierarchical", amounts(9, 9, 0, 27, 0, 8334)],
  ["election-v1-hostname", amounts(6, 5, 0, 11, 0, 2221)],
  ["election-v1-ipv6", amounts(3, 3, 0, 8, 0, 1809)],
  ["election-v1-join", amounts(9, 6, 0, 11, 0, 2256)],
  ["election-v1-leader-killed", amounts(11, 7, 0, 19, 0, 3779)],
  ["election-v1-observer", amounts(13, 11, 0, 17, 1, 4248)],
  ["election-v1-reconfig", amounts(7, 5, 0, 13, 0, 3249)],
  ["election-v1-sasl", amounts(9, 6, 24, 12, 0, 5532)],
  ["election-v1-sasl-bad", amounts(18, 13, 52, 5, 0, 7680)],
  ["election-v2-multiaddress", amounts(5, 5, 0, 10, 0, 2775)],
  ["election-v2-single", amounts(7, 4, 0, 9, 0, 1814)]
]

const leftOut = [
  "election-tls: encrypted; what the peers said cannot be read from the wire",
  "four connections of election-v1-sasl: the quorum port, which speaks another protocol"
]

const feedings: ReadonlyArray<readonly [how: string, pieces: (stream: Stream) => ReadonlyArray<Uint8Array>]> = [
  ["whole", (stream) => [bytesOf(stream)]],
  ["as captured", ({ messages }) => messages.flatMap(({ segments }) => segments)],
  ["byte by byte", (stream) => Array.from(bytesOf(stream), (byte) => Uint8Array.of(byte))]
]

/** One direction of a connection. */
interface Stream {
  readonly speaker: Conversation.Speaker
  readonly messages: ReadonlyArray<Recording.Message>
}

const streamsOf = ({ configs, connections }: Recording.Recording): ReadonlyArray<Stream> => {
  const nameOf = (text: string) => Array.from(configs).find(([, other]) => other === text)?.[0] ?? "unknown"
  return connections.flatMap(({ accepted, acceptor, opened, opener }) =>
    opener === null ? [] : [
      { speaker: { sid: opener, dials: true, nameOf }, messages: opened },
      { speaker: { sid: acceptor, dials: false, nameOf }, messages: accepted }
    ]
  )
}

const bytesOf = ({ messages }: Stream): Uint8Array => concat(...messages.flatMap(({ segments }) => segments))

const recorded = ({ messages }: Stream) =>
  messages.map(({ segments, told }) => ({ told, bytes: toHex(concat(...segments)) }))

/** What the codecs make of these pieces, in the form of `recorded`; a string if they refuse them. */
const reread = (pieces: ReadonlyArray<Uint8Array>, { speaker }: Stream) =>
  Result.match(Conversation.read(pieces, speaker), {
    onFailure: (refusal) => typeof refusal === "string" ? refusal : refusal.message,
    onSuccess: (items) => items.map(({ bytes, told }) => ({ told, bytes: toHex(bytes) }))
  })

const count = ({ connections }: Recording.Recording, streams: ReadonlyArray<Stream>): Amounts => {
  const items = streams.flatMap((stream) => Result.getOrThrow(Conversation.read([bytesOf(stream)], stream.speaker)))
  const ofKind = (kind: Conversation.Item["kind"]) => items.filter((item) => item.kind === kind).length
  return {
    connections: connections.length,
    initialMessage: ofKind("initialMessage"),
    authPacket: ofKind("authPacket"),
    notification: ofKind("notification"),
    incomplete: ofKind("incomplete"),
    bytes: items.reduce((sum, { bytes }) => sum + bytes.length, 0)
  }
}

/** With multi-address on, initial messages are version 2 and a server may have several addresses. */
const multiAddressIn = (name: string): boolean => name.startsWith("election-v2")

const parse = (name: string, text: string): QuorumVerifier =>
  Result.getOrThrow(DynamicConfig.parse(text, { multiAddress: multiAddressIn(name), standaloneEnabled: true }))

describe("captures of ZooKeeper 3.8.0", () => {
  it("are all in the table", () => {
    console.info(["captures left out:", ...leftOut].join("\n  "))
    assert.deepStrictEqual(Recording.names(), recordings.map(([name]) => name).sort())
  })

  it.each(recordings)("%s has as many messages as were recorded", (name, expected) => {
    const recording = Recording.load(name)
    assert.deepStrictEqual(count(recording, streamsOf(recording)), expected)
  })

  describe.each(feedings)("fed %s", (_, pieces) => {
    it.each(recordings)("%s is read completely and written again to the same bytes", (name) => {
      const streams = streamsOf(Recording.load(name))
      assert.deepStrictEqual(streams.map((stream) => reread(pieces(stream), stream)), streams.map(recorded))
    })
  })

  it.each(recordings)("%s: the configuration is understood and printed the same", (name) => {
    const texts = Array.from(Recording.load(name).configs.values())
    assert.isNotEmpty(texts)
    assert.deepStrictEqual(texts.map((text) => parse(name, text).text), texts)
  })

  it.each(recordings)("%s: what stood in the file is printed as the servers tell it", (name) => {
    const { configs, configured } = Recording.load(name)
    assert.strictEqual(parse(name, configured).text, configs.get("A"))
  })

  it.each(recordings)("%s: the initial messages are those we would send as the same server", (name) => {
    const recording = Recording.load(name)
    const { servers } = parse(name, recording.configs.get("A") ?? "")
    // 3.8.0 announces what a name resolves to, later versions and we the name.
    const resolve = (host: string) => host === "localhost" ? "127.0.0.1" : host
    const dialled = recording.connections.filter(({ opener }) => opener !== null)
    const ours = dialled.map(({ opener }) => {
      const server = servers.get(opener!)!
      const addresses = QuorumServer.electionAddresses(server).map(({ host, port }) => ({ host: resolve(host), port }))
      return toHex(InitialMessage.encode({ sid: server.sid, addresses, multiAddress: multiAddressIn(name) }))
    })
    assert.deepStrictEqual(ours, dialled.map(({ opened }) => toHex(concat(...(opened[0]?.segments ?? [])))))
  })

  it.each(recordings)("%s: no byte can change unnoticed", (name) => {
    for (const stream of streamsOf(Recording.load(name))) {
      const expected = JSON.stringify(recorded(stream))
      const bytes = bytesOf(stream)
      const unnoticed = Array.from(bytes.keys()).filter((at) =>
        JSON.stringify(reread([bytes.with(at, bytes[at]! ^ 1)], stream)) === expected
      )
      assert.deepStrictEqual(unnoticed, afterBracket(stream))
    }
  })
})

/** Where the one character stands that is read as a colon whatever it is: after an IPv6 literal in a handshake. */
const afterBracket = ({ messages, speaker }: Stream): ReadonlyArray<number> => {
  const at = Buffer.concat(speaker.dials ? messages[0]?.segments ?? [] : []).indexOf("]")
  return at < 0 ? [] : [at + 1]
}
