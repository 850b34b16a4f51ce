/** Which connections a port accepts, by the two switches; and that it tells them apart whatever it is sent. */
import { type Address, type Connection, type ConnectionError, Transport } from "@conclave/quorum/Transport"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Queue from "effect/Queue"
import * as Socket from "effect/socket/Socket"
import { once } from "node:events"
import * as Net from "node:net"
import * as Detect from "../src/Detect.ts"
import * as NodeTransport from "../src/NodeTransport.ts"
import * as Certificates from "./Certificates.ts"
import { accept, receive, text, utf8 } from "./TransportHarness.ts"

const loopback = { host: "127.0.0.1", port: 0 }

const authority = Certificates.authority("the authority")
const stores = Certificates.write(Certificates.directory("file"), Certificates.issue(authority, {}), authority)

const modes = {
  plain: { sslQuorum: false, portUnification: false },
  "unified, dials plain": { sslQuorum: false, portUnification: true },
  "unified, dials TLS": { sslQuorum: true, portUnification: true },
  TLS: { sslQuorum: true, portUnification: false }
}

const transport = (mode: keyof typeof modes, handshakeDetectionTimeout = 5_000) =>
  Layer.build(NodeTransport.layerSecure({ ...stores, ...modes[mode], handshakeDetectionTimeout })).pipe(
    Effect.map((context) => Context.get(context, Transport)),
    Effect.provide(Logger.layer([]))
  )

const modeNames = Object.keys(modes) as ReadonlyArray<keyof typeof modes>

describe("who dials", () => {
  for (const from of modeNames) {
    for (const to of modeNames) {
      const isTls = modes[from].sslQuorum
      const accepted = modes[to].portUnification || modes[to].sslQuorum === isTls
      it.live(`(${from}) is ${accepted ? "" : "not "}understood by (${to})`, () =>
        Effect.gen(function*() {
          const [dialler, other] = yield* Effect.all([transport(from), transport(to)])
          const listener = yield* other.listen(loopback)
          if (accepted) {
            const incoming = yield* accept(listener)
            const near = yield* dialler.dial(listener.address)
            yield* near.write(utf8("there"))
            const far = yield* Queue.take(incoming)
            assert.strictEqual(text(yield* receive(far, 5)), "there")
            yield* far.write(utf8("back"))
            assert.strictEqual(text(yield* receive(near, 4)), "back")
            return
          }
          const outcomes = yield* outcomesOf(listener.run)
          const said = yield* Effect.flip(Effect.gen(function*() {
            const near = yield* dialler.dial(listener.address)
            yield* near.write(utf8("there"))
            return yield* near.pull
          }))
          const { error } = yield* Queue.take(outcomes)
          if (isTls) {
            assert.strictEqual(said._tag === "DialError" && said.reason, "Insecure")
            assert.match(said.message, /with TLS, and it hung up; if it has no TLS, set sslQuorum=true or portUnif/)
          } else {
            assert.strictEqual(reasonOf(error), "Plaintext")
            assert.match(error.message, /^127\.0\.0\.1:\d+ dialled us without TLS, and .* nothing else; set/)
          }
        }))
    }
  }
})

interface Outcome {
  readonly bytes: Buffer
  readonly error: ConnectionError
}

const reasonOf = (error: ConnectionError) => (error._tag === "SecurityError" ? error.reason : error._tag)

/** Serves, hanging up on who says nothing that begins with a handshake, and tells what came of each. */
const outcomesOf = Effect.fnUntraced(function*(
  run: (handler: (connection: Connection) => Effect.Effect<void>) => Effect.Effect<never>
) {
  const outcomes = yield* Queue.unbounded<Outcome>()
  yield* Effect.forkScoped(run((connection) => {
    let bytes = Buffer.alloc(0)
    const read = Effect.gen(function*() {
      while (bytes[0] === undefined || Detect.detect(bytes) !== "Tls") {
        bytes = Buffer.concat([bytes, ...yield* connection.pull])
      }
    })
    return Effect.matchEffect(read, {
      onFailure: (error) => Effect.asVoid(Queue.offer(outcomes, { bytes, error })),
      onSuccess: () => Effect.asVoid(Queue.offer(outcomes, { bytes, error: hungUp }))
    })
  }), { startImmediately: true })
  return outcomes
})

const hungUp = new Socket.SocketError({ reason: new Socket.SocketCloseError({ code: 1000 }) })

// -----------------------------------------------------------------------------
// any first bytes
// -----------------------------------------------------------------------------

const choices: ReadonlyArray<ReadonlyArray<number>> = [
  [0x00, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x47, 0x80, 0xff],
  [0x00, 0x02, 0x03, 0x04, 0xff],
  [0x00, 0x03],
  [0x00, 0x40, 0xff],
  [0x00, 0x02],
  [0x00, 0x01]
]

/** Every prefix of one to six bytes, each byte one of its kind. */
const prefixes = choices.flatMap((_, last) =>
  choices
    .slice(0, last + 1)
    .reduce<ReadonlyArray<Buffer>>(
      (heads, values) => heads.flatMap((head) => values.map((one) => Buffer.of(...head, one))),
      [Buffer.alloc(0)]
    )
)

const dialRaw = ({ host, port }: Address) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const socket = Net.connect({ host, port }).on("error", () => {})
      await once(socket, "connect")
      return socket
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

const servesTls = Effect.fnUntraced(function*(address: Address) {
  const dialler = yield* transport("TLS")
  const connection = yield* dialler.dial(address)
  yield* connection.write(utf8("still there"))
})

describe("any first bytes, and then the end", () => {
  for (const mode of ["unified, dials plain", "TLS"] as const) {
    it.live(`are plain, TLS or refused at a port that is ${mode}`, () =>
      Effect.gen(function*() {
        const listener = yield* (yield* transport(mode)).listen(loopback)
        const outcomes = yield* outcomesOf(listener.run)
        const counts = new Map<string, number>()
        for (const prefix of prefixes) {
          yield* Effect.scoped(Effect.gen(function*() {
            const socket = yield* dialRaw(listener.address)
            socket.resume().end(prefix)
            const { bytes, error } = yield* Queue.take(outcomes)
            const detected = Detect.detect(prefix)
            counts.set(detected, (counts.get(detected) ?? 0) + 1)
            const isPlain = detected === "Plain" && mode !== "TLS"
            assert.strictEqual(bytes.toString("hex"), isPlain ? prefix.toString("hex") : "")
            const expected = { Plain: isPlain ? ["SocketError"] : ["Plaintext"], Undecided: ["SocketError"] }
            const broken = ["NotTls", "RefusedByPeer", "NoCommonProtocol"]
            assert.oneOf(reasonOf(error), detected === "Tls" ? broken : expected[detected], prefix.toString("hex"))
          }))
        }
        assert.strictEqual(prefixes.length, 11 + 55 + 110 + 330 + 660 + 1320)
        assert.isAbove(counts.get("Tls") ?? 0, 100)
        assert.isAbove(counts.get("Plain") ?? 0, 1000)
        assert.isAbove(counts.get("Undecided") ?? 0, 30)
        yield* servesTls(listener.address)
      }), 60_000)
  }

  it.live("are plain when nothing follows in time, and no byte is lost", () =>
    Effect.gen(function*() {
      const listener = yield* (yield* transport("unified, dials plain", 20)).listen(loopback)
      const incoming = yield* accept(listener)
      for (const prefix of ["", "16", "1603", "160301", "16030102"]) {
        const socket = yield* dialRaw(listener.address)
        socket.write(Buffer.from(prefix, "hex"))
        const far = yield* Queue.take(incoming)
        // Only bytes that came before it was known can be told from bytes that came after.
        yield* far.write(utf8("known"))
        yield* Effect.promise(() => once(socket, "data"))
        socket.write("rest")
        const length = prefix.length / 2 + 4
        assert.strictEqual(yield* Effect.map(receive(far, length), (all) => all.toString("latin1")),
          `${Buffer.from(prefix, "hex").toString("latin1")}rest`)
      }
      yield* servesTls(listener.address)
    }))

  it.live("may come one at a time, TLS too", () =>
    Effect.gen(function*() {
      const unified = yield* transport("unified, dials TLS")
      const listener = yield* unified.listen(loopback)
      const incoming = yield* accept(listener)
      // Between the two ends: what comes is passed on byte by byte, each by itself.
      const relay = Net.createServer({ noDelay: true }, (near) => {
        const far = Net.connect({ ...listener.address, noDelay: true })
        let sent = Promise.resolve()
        const send = (byte: number) =>
          new Promise<void>((resolve) => far.write(Uint8Array.of(byte), () => setImmediate(resolve)))
        near.on("data", (chunk) => {
          for (const byte of chunk) sent = sent.then(() => send(byte))
        })
        far.pipe(near)
        const close = () => [near, far].forEach((socket) => socket.destroy())
        for (const socket of [near, far]) socket.on("error", () => {}).on("close", close)
      })
      yield* Effect.acquireRelease(
        Effect.promise(() => once(relay.listen(loopback), "listening")),
        () => Effect.sync(() => relay.close())
      )
      const { port } = relay.address() as Net.AddressInfo
      const near = yield* unified.dial({ ...loopback, port })
      yield* near.write(utf8("slowly"))
      assert.strictEqual(text(yield* receive(yield* Queue.take(incoming), 6)), "slowly")
    }))
})

describe("who is silent", () => {
  it.live("delays nobody", () =>
    Effect.gen(function*() {
      for (const mode of ["unified, dials TLS", "TLS"] as const) {
        const secure = yield* transport(mode)
        const listener = yield* secure.listen(loopback)
        const incoming = yield* accept(listener)
        const silent = yield* dialRaw(listener.address)
        const halfway = yield* dialRaw(listener.address)
        halfway.write(Buffer.from("160301", "hex"))
        for (let n = 0; n < 2; n++) yield* Queue.take(incoming)
        const near = yield* secure.dial(listener.address)
        yield* near.write(utf8("meanwhile"))
        assert.strictEqual(text(yield* receive(yield* Queue.take(incoming), 9)), "meanwhile")
        assert.isFalse(silent.destroyed || halfway.destroyed)
      }
    }))

  it.live("is refused where only TLS is accepted", () =>
    Effect.gen(function*() {
      const listener = yield* (yield* transport("TLS", 20)).listen(loopback)
      const outcomes = yield* outcomesOf(listener.run)
      yield* dialRaw(listener.address)
      const { error } = yield* Queue.take(outcomes)
      assert.strictEqual(reasonOf(error), "Silent")
      assert.match(error.message, /began no TLS handshake within 20 ms; .*handshakeDetectionTimeoutMillis/)
    }))
})
