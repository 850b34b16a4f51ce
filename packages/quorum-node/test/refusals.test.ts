/**
 * Who is not let in, and whom nobody talks to: each with a word to be counted by, and a sentence that says who dialled
 * whom, what was shown, what was wrong, and what to change.
 */
import * as Dialing from "@conclave/quorum/Dialing"
import { Transport } from "@conclave/quorum/Transport"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as PubSub from "effect/PubSub"
import * as TestClock from "effect/testing/TestClock"
import { randomInt } from "node:crypto"
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import * as Net from "node:net"
import { join } from "node:path"
import * as NodeTransport from "../src/NodeTransport.ts"
import type * as TlsOptions from "../src/TlsOptions.ts"
import * as Certificates from "./Certificates.ts"
import {
  address,
  change,
  closedSilently,
  connected,
  hello,
  type Member,
  PORT,
  type Place,
  start
} from "./CnxManagerHarness.ts"
import { accept } from "./TransportHarness.ts"

const authority = Certificates.authority("our authority")
const stranger = Certificates.authority("some authority")

type Settings = Partial<TlsOptions.TlsOptions> & { readonly issuer?: Certificates.Authority | "itself" }

const makePlace = (): Place => {
  const net = `127.${randomInt(1, 255)}.${randomInt(0, 256)}`
  return { host: (sid) => `${net}.${sid}`, transport: () => Effect.die("each server has its own") }
}

/** The transport of one who shows such a certificate; by default a good one for where `sid` lives. */
const secure = (place: Place, sid: bigint, terms: Certificates.Terms = {}, settings: Settings = {}) => {
  const { issuer = authority, ...options } = settings
  const issued = Certificates.issue(issuer, { names: [`IP:${place.host(sid)}`], ...terms })
  const stores = Certificates.write(Certificates.directory("test"), issued, authority)
  const layer = NodeTransport.layerSecure({ ...stores, sslQuorum: true, portUnification: false, ...options })
  return Layer.build(layer).pipe(
    Effect.map((context) => ({ transport: Context.get(context, Transport), issued })),
    Effect.provide(Logger.layer([]))
  )
}

/** A manager of server 2 that others dial or that dials them, and what it says. */
const server2 = Effect.fnUntraced(function*(place: Place, settings: Settings = {}) {
  const logged: Array<string> = []
  const logger = Logger.make(({ message }) => void logged.push(String(message)))
  const { transport } = yield* secure(place, 2n, {}, settings)
  const two = yield* Effect.provide(start(place, 2n, { transport, handshakeTimeout: 5_000 }), Logger.layer([logger]))
  return { two, logged }
})

/** Server 3 calls server 2, says who it is, and hears nothing. */
const calls = Effect.fnUntraced(function*(
  place: Place,
  transport: Transport["Service"],
  sid = 3n,
  at = place.host(sid)
) {
  const heard = Effect.gen(function*() {
    const connection = yield* transport.dial(address(place, 2n))
    yield* connection.write(hello({ sid, text: `${at}:${PORT}` }))
    return yield* closedSilently(connection)
  })
  yield* Effect.ignore(Effect.scoped(heard))
})

/** Lists the issuer's revocations where both sides look for them. */
const revocations = (name: string, list: string) => {
  const file = join(Certificates.directory("test"), name)
  writeFileSync(file, list)
  return file
}

const test = (name: string, effect: () => Effect.Effect<void, unknown, Effect.Services<ReturnType<typeof secure>>>) =>
  it.live(name, effect, 20_000)

interface Row {
  readonly what: string
  readonly terms?: Certificates.Terms
  readonly issuer?: Certificates.Authority | "itself"
  readonly reason: string
  /** What comes after whom it is for. */
  readonly problem: RegExp
  readonly remedy: RegExp
}

const rows: ReadonlyArray<Row> = [
  {
    what: "for another server",
    terms: { names: ["IP:127.0.0.4", "DNS:zoo-4"] },
    reason: "WrongName",
    problem: /certificate for zoo-4, 127\.0\.0\.4, but the server that it says it is must be at 127\.\d+\.\d+\.[13]$/,
    remedy: /certificate for one of these hosts, or correct its server\.N line$/
  },
  {
    what: "that has expired",
    terms: { from: -3, to: -1 },
    reason: "Expired",
    problem: /, which expired on \w+ .*GMT$/,
    remedy: /^renew it in the key store of that server$/
  },
  {
    what: "of the future",
    terms: { from: 1, to: 2 },
    reason: "NotYetValid",
    problem: /, which is not valid before \w+ .*GMT$/,
    remedy: /^compare the clocks/
  },
  {
    what: "that is self-signed",
    issuer: "itself",
    reason: "SelfSigned",
    problem: /, which is self-signed and not in our trust store$/,
    remedy: /or put this one into ssl\.quorum\.trustStore here$/
  },
  {
    what: "of an unknown issuer",
    issuer: stranger,
    reason: "UnknownIssuer",
    problem: /, issued by CN=some authority, which our trust store does not hold$/,
    remedy: /or put its issuer into ssl\.quorum\.trustStore here$/
  }
]

const expectTold = (message: string, { problem, remedy }: Pick<Row, "problem" | "remedy">, start: RegExp) => {
  const [told = "", advice = ""] = message.split("; ")
  assert.match(told, start)
  assert.match(told, problem)
  assert.match(advice, remedy)
}

describe("a server that dials us with a certificate", () => {
  for (const row of rows) {
    test(row.what, () =>
      Effect.gen(function*() {
        const place = makePlace()
        const { logged, two } = yield* server2(place)
        const { transport } = yield* secure(place, 3n, row.terms, { issuer: row.issuer ?? authority })
        // What it thinks of us is not the question here.
        yield* calls(place, transport)
        assert.deepStrictEqual(yield* two.manager.rejections, new Map([[row.reason, 1]]))
        assert.deepStrictEqual(yield* two.manager.connected, new Set())
        assert.strictEqual(logged.length, 1)
        expectTold(logged[0]!, row, /^connection from 127\.0\.0\.1:\d+ refused: 127\.0\.0\.1:\d+ dialled us with a /)
      }))
  }

  test("that is good: it is let in", () =>
    Effect.gen(function*() {
      const place = makePlace()
      const { two } = yield* server2(place)
      const { transport } = yield* secure(place, 3n)
      yield* Effect.forkScoped(calls(place, transport))
      yield* connected(two, 3n)
    }))
})

/** Waits until server 2 has failed to dial server 1, and gives what it says of that. */
const failure = Effect.fnUntraced(function*({ manager }: Member) {
  const changes = yield* manager.linkChanges
  yield* manager.connectOne(1n)
  yield* change(changes, "DialFailed", 1n)
  const story = (yield* manager.stories).find(({ sid }) => sid === 1n)
  return story?.failure ?? assert.fail("nothing is told of it")
})

describe("a server that we dial and that shows a certificate", () => {
  for (const row of rows) {
    test(row.what, () =>
      Effect.gen(function*() {
        const place = makePlace()
        const { logged, two } = yield* server2(place)
        const { transport } = yield* secure(place, 1n, row.terms, { issuer: row.issuer ?? authority })
        yield* accept(yield* transport.listen(address(place, 1n)))
        const failed = yield* failure(two)
        assert.strictEqual(failed.reason, "Insecure")
        assert.isAtLeast((yield* two.manager.rejections).get(row.reason) ?? 0, 1)
        expectTold(failed.message, row, /we dialled 127\.\d+\.\d+\.1:3888, which showed a certificate for /)
        assert.include(logged.join("\n"), `no connection with server 1: ${failed.message}`)
      }))
  }

  test("that is good: it is talked to", () =>
    Effect.gen(function*() {
      const place = makePlace()
      const { two } = yield* server2(place)
      const { transport } = yield* secure(place, 1n)
      yield* accept(yield* transport.listen(address(place, 1n)))
      yield* two.manager.connectOne(1n)
      yield* connected(two, 1n)
    }))

  test("over a port on which nobody speaks TLS", () =>
    Effect.gen(function*() {
      const place = makePlace()
      const { two } = yield* server2(place)
      const server = Net.createServer((socket) => socket.on("error", () => {}).end("220 mail\r\n"))
      yield* Effect.acquireRelease(
        Effect.promise(() => once(server.listen(address(place, 1n)), "listening")),
        () => Effect.sync(() => server.close())
      )
      const failed = yield* failure(two)
      assert.strictEqual(failed.reason, "Insecure")
      assert.match(failed.message, /^cannot reach .*: we dialled .*:3888 with TLS, and it did not answer with TLS \(/)
    }))

  it.effect("over a port on which somebody listens and says nothing", () =>
    Effect.gen(function*() {
      const place = makePlace()
      const { transport } = yield* secure(place, 2n)
      const sockets: Array<Net.Socket> = []
      const server = Net.createServer((socket) => void sockets.push(socket.on("error", () => {})))
      yield* Effect.acquireRelease(
        Effect.promise(() => once(server.listen(address(place, 1n)), "listening")),
        () => Effect.sync(() => [server, ...sockets].forEach((one) => "destroy" in one ? one.destroy() : one.close()))
      )
      const called = Effect.promise(() => once(server, "connection"))
      const dialling = Dialing.dialAny(transport, [address(place, 1n)], 5_000)
      const fiber = yield* Effect.forkScoped(dialling, { startImmediately: true })
      const [socket] = yield* called
      yield* Effect.promise(() => once(socket, "data"))
      yield* TestClock.adjust(5_000)
      const failed = yield* Effect.flip(Fiber.join(fiber))
      assert.match(
        failed.message,
        /^cannot reach .*: we dialled .*:3888, which accepted the connection and did not finish the TLS handshake in/
      )
      assert.deepStrictEqual(Dialing.whatFailed(failed), { reason: "Insecure", rejected: "Silent" })
    }))
})

/** Whether server 2, so configured, lets server 3 in. */
const lets = (
  name: string,
  settings: { readonly two?: Settings; readonly three?: Settings & { readonly terms?: Certificates.Terms } },
  reason: string | null,
  told = /./
) =>
  test(name, () =>
    Effect.gen(function*() {
      const place = makePlace()
      const { logged, two } = yield* server2(place, settings.two)
      const { terms, ...rest } = settings.three ?? {}
      const { transport } = yield* secure(place, 3n, terms, rest)
      if (reason === null) {
        yield* Effect.forkScoped(calls(place, transport))
        return yield* connected(two, 3n)
      }
      yield* calls(place, transport)
      assert.deepStrictEqual(yield* two.manager.rejections, new Map([[reason, 1]]))
      assert.match(logged.join("\n"), told)
    }))

describe("names", () => {
  const elsewhere = { terms: { names: ["DNS:elsewhere"] } }
  lets("do not matter without hostnameVerification", { two: { hostnameVerification: false }, three: elsewhere }, null)
  lets("of who dials do not matter without its own switch", {
    two: { clientHostnameVerification: false },
    three: elsewhere
  }, null)
  lets("may be hidden by a wildcard only up to a dot", {
    three: { terms: { names: [], commonName: "127.*" } }
  }, "WrongName")

  test("may be the common one, if there is no other", () =>
    Effect.gen(function*() {
      const place = makePlace()
      const { two } = yield* server2(place)
      const { transport } = yield* secure(place, 3n, { names: [], commonName: place.host(3n) })
      yield* Effect.forkScoped(calls(place, transport))
      yield* connected(two, 3n)
    }))

  test("of a stranger may be where it comes from or where it says it is, not where a member is", () =>
    Effect.gen(function*() {
      const place = makePlace()
      const { logged, two } = yield* server2(place)
      for (const [index, name] of [place.host(9n), "127.0.0.1"].entries()) {
        const { transport } = yield* secure(place, 3n, { names: [`IP:${name}`] })
        const calling = yield* Effect.forkScoped(calls(place, transport, 9n))
        yield* connected(two, 9n)
        yield* Fiber.interrupt(calling)
        yield* connected(two)
        assert.strictEqual(logged.length, 0, `${index}: ${logged}`)
      }
      const { transport } = yield* secure(place, 3n)
      yield* calls(place, transport, 9n)
      assert.deepStrictEqual(yield* two.manager.rejections, new Map([["WrongName", 1]]))
    }))

  test("of a member are not where it comes from, nor where it says it is", () =>
    Effect.gen(function*() {
      const place = makePlace()
      const { two } = yield* server2(place)
      const { transport } = yield* secure(place, 3n, { names: ["IP:127.0.0.1", `IP:${place.host(9n)}`] })
      yield* calls(place, transport, 3n, place.host(9n))
      assert.deepStrictEqual(yield* two.manager.rejections, new Map([["WrongName", 1]]))
    }))

  test("are resolved if the certificate is for an address", () =>
    Effect.gen(function*() {
      const place = makePlace()
      const { transport } = yield* secure(place, 1n, { names: ["IP:127.0.0.1"] })
      const listener = yield* transport.listen({ host: "127.0.0.1", port: 0 })
      yield* accept(listener)
      const connection = yield* transport.dial(listener.address)
      yield* connection.identify(["nowhere..invalid", "localhost"])
      const error = yield* Effect.flip(connection.identify(["nowhere..invalid"]))
      assert.strictEqual(error.reason, "WrongName")
    }))
})

describe("a client without a certificate", () => {
  // What asks for none is not shown any.
  const bare = (place: Place, sid = 3n) =>
    Effect.gen(function*() {
      const { default: Tls } = yield* Effect.promise(() => import("node:tls"))
      const { host, port } = address(place, 2n)
      const socket = yield* Effect.acquireRelease(
        Effect.sync(() => Tls.connect({ host, port, rejectUnauthorized: false }).on("error", () => {}).resume()),
        (socket) => Effect.sync(() => socket.destroy())
      )
      socket.write(hello({ sid, text: `${place.host(sid)}:${PORT}` }))
      return socket
    })

  test("is refused", () =>
    Effect.gen(function*() {
      const place = makePlace()
      const { logged, two } = yield* server2(place)
      const socket = yield* bare(place)
      yield* Effect.callback<void>((resume) => void socket.once("close", () => resume(Effect.void)))
      assert.deepStrictEqual(yield* two.manager.rejections, new Map([["NoCertificate", 1]]))
      assert.match(logged[0]!, /:\d+ dialled us without a certificate; give that server a key store/)
    }))

  for (const clientAuth of ["want", "none"] as const) {
    test(`is let in with clientAuth=${clientAuth}`, () =>
      Effect.gen(function*() {
        const place = makePlace()
        const { two } = yield* server2(place, { clientAuth })
        yield* bare(place)
        yield* connected(two, 3n)
      }))
  }

  lets("is one thing, with a bad one another: clientAuth=want", {
    two: { clientAuth: "want" },
    three: { terms: { from: -3, to: -1 } }
  }, "Expired")
  lets("is not told from one with a bad one: clientAuth=none", {
    two: { clientAuth: "none" },
    three: { terms: { from: -3, to: -1 } }
  }, null)
})

describe("a certificate", () => {
  lets("for servers only is no client's", { three: { terms: { purpose: "serverAuth" } } }, "WrongPurpose", /this use;/)

  test("is good if its issuer is trusted, whoever issued that", () =>
    Effect.gen(function*() {
      const place = makePlace()
      const middle = Certificates.authority("in the middle", stranger)
      const { transport } = yield* secure(place, 3n, {}, { issuer: middle })
      const { trustStore } = Certificates.write(Certificates.directory("test"), Certificates.issue(middle, {}), middle)
      const { two } = yield* server2(place, { trustStore })
      yield* Effect.forkScoped(calls(place, transport))
      yield* connected(two, 3n)
    }))

  for (const [what, to, isRevoked, reason] of [
    ["that is on the list is refused", 1, true, "Revoked"],
    ["that is not on the list is good", 1, false, null],
    ["may be on a list that is out of date", -0.5, false, "RevocationUnknown"]
  ] as const) {
    test(what, () =>
      Effect.gen(function*() {
        const place = makePlace()
        const { issued, transport } = yield* secure(place, 3n)
        const crlFile = revocations("crl.pem", Certificates.revoke(authority, isRevoked ? [issued] : [], to))
        const { logged, two } = yield* server2(place, { crlFile })
        if (reason === null) {
          yield* Effect.forkScoped(calls(place, transport))
          return yield* connected(two, 3n)
        }
        yield* calls(place, transport)
        assert.deepStrictEqual(yield* two.manager.rejections, new Map([[reason, 1]]))
        assert.match(logged[0]!, isRevoked ? /which has been revoked; give that server a new key/ : /crlFile$/)
      }))
  }
})

describe("what is agreed on", () => {
  const gcm = (bits: 128 | 256) => [`ECDHE-RSA-AES${bits}-GCM-SHA${bits === 128 ? 256 : 384}`]
  lets("can be TLS 1.3", { two: { protocols: ["TLSv1.3"] }, three: { protocols: ["TLSv1.2", "TLSv1.3"] } }, null)
  lets("cannot be a version that one does not have", {
    two: { protocols: ["TLSv1.2"] },
    three: { protocols: ["TLSv1.3"] }
  }, "NoCommonProtocol", /:\d+ and we have no version of TLS in common; ours: TLSv1\.2; make ssl\.quorum\.enabled/)
  lets("cannot be a cipher suite that one does not have", {
    two: { ciphers: gcm(128) },
    three: { ciphers: gcm(256) }
  }, "NoCommonCipher", /:\d+ and we have no cipher suite in common; make ssl\.quorum\.ciphersuites overlap/)

  test("is told of by who dials, too", () =>
    Effect.gen(function*() {
      const place = makePlace()
      const { two } = yield* server2(place, { protocols: ["TLSv1.2"] })
      const { transport } = yield* secure(place, 1n, {}, { protocols: ["TLSv1.3"] })
      yield* accept(yield* transport.listen(address(place, 1n)))
      const failed = yield* failure(two)
      assert.match(failed.message, /: we and 127\.\d+\.\d+\.1:3888 have no version of TLS in common; ours: TLSv1\.2/)
    }))
})

describe("who is refused for good", () => {
  test("disturbs nobody else", () =>
    Effect.gen(function*() {
      const place = makePlace()
      const { two } = yield* server2(place)
      const three = yield* secure(place, 3n)
      yield* Effect.forkScoped(calls(place, three.transport))
      yield* connected(two, 3n)
      const changes = yield* two.manager.linkChanges
      for (const { issuer = authority, terms } of rows) {
        const { transport } = yield* secure(place, 4n, terms, { issuer })
        yield* calls(place, transport, 4n)
      }
      assert.deepStrictEqual(yield* two.manager.rejections, new Map(rows.map(({ reason }) => [reason, 1])))
      assert.strictEqual(yield* PubSub.remaining(changes), 0)
      assert.isTrue((yield* two.manager.connected).has(3n))
    }))
})
