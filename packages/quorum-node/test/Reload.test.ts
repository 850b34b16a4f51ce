/** New key and certificate files take the place of old ones while everything runs. */
import { SecurityError, Transport } from "@conclave/quorum/Transport"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Queue from "effect/Queue"
import * as TestClock from "effect/testing/TestClock"
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as NodeTransport from "../src/NodeTransport.ts"
import * as Reload from "../src/Reload.ts"
import * as Certificates from "./Certificates.ts"
import { accept, receive, text, utf8 } from "./TransportHarness.ts"

const authority = Certificates.authority("the authority")
const other = Certificates.authority("another authority")

const issue = (name: string, issuer = authority) => Certificates.issue(issuer, { names: [`DNS:${name}`] })

/** A server whose files change, one that dials it, and what the first logs. */
const pair = Effect.fnUntraced(function*(stores: Certificates.Stores, reloadCertFiles = true) {
  const logged = yield* Queue.unbounded<string>()
  const logger = Logger.make(({ message }) => void Queue.offerUnsafe(logged, String(message)))
  const build = (options: Certificates.Stores & { readonly reloadCertFiles: boolean }) =>
    Effect.map(
      Layer.build(NodeTransport.layerSecure({ ...options, sslQuorum: true, portUnification: false })),
      (context) => Context.get(context, Transport)
    )
  const changing = yield* Effect.provide(build({ ...stores, reloadCertFiles }), Logger.layer([logger]))
  const constant = Certificates.write(Certificates.directory("test"), issue("client"), authority)
  const dialler = yield* Effect.provide(build({ ...constant, reloadCertFiles: false }), Logger.layer([]))
  assert.match(yield* Queue.take(logged), /^TLS with our certificate for /)
  const listener = yield* changing.listen({ host: "127.0.0.1", port: 0 })
  const incoming = yield* accept(listener)
  const connect = Effect.gen(function*() {
    const near = yield* dialler.dial(listener.address)
    return { near, far: yield* Queue.take(incoming) }
  })
  /** Whom a new connection finds there. */
  const shown = Effect.scoped(Effect.gen(function*() {
    const { near } = yield* connect
    const error = yield* Effect.flip(near.identify(["nobody"]))
    assert.instanceOf(error, SecurityError)
    return /certificate for ([^ ,]+)/.exec(error.message)?.[1]
  }))
  return { logged, connect, shown }
})

type Pair = Effect.Success<ReturnType<typeof pair>>

const talks = Effect.fnUntraced(function*({ far, near }: Effect.Success<Pair["connect"]>, words: string) {
  yield* near.write(utf8(words))
  assert.strictEqual(text(yield* receive(far, words.length)), words)
})

const write = (directory: string, name: string, issuer = authority) =>
  Certificates.write(directory, issue(name, issuer), authority)

const IN_USE = /^new key or certificate files are in use: TLS with our certificate for /

describe("changed files", () => {
  it.live("are used for new connections, and old ones stay", () =>
    Effect.gen(function*() {
      const directory = Certificates.directory("test")
      const { connect, logged, shown } = yield* pair(write(directory, "first"))
      const old = yield* connect
      assert.strictEqual(yield* shown, "first")
      write(directory, "second")
      assert.match(yield* Queue.take(logged), new RegExp(`${IN_USE.source}second, valid until`))
      assert.strictEqual(yield* shown, "second")
      yield* talks(old, "still here")
    }), 10_000)

  it.live("that are broken are told of once, and the old ones stay in use until good ones come", () =>
    Effect.gen(function*() {
      const directory = Certificates.directory("test")
      const { keyStore } = write(directory, "first")
      const { logged, shown } = yield* pair(write(directory, "first"))
      writeFileSync(keyStore.location, "-----BEGIN CERT")
      const told = yield* Queue.take(logged)
      assert.match(told, /^new key or .* cannot be used, the old ones stay in use: .*key\.pem: it holds no private key/)
      assert.strictEqual(yield* shown, "first")
      rmSync(keyStore.location)
      assert.match(yield* Queue.take(logged), /the old ones stay in use: .*cannot be read \(ENOENT\)/)
      assert.strictEqual(yield* shown, "first")
      write(directory, "second")
      assert.match(yield* Queue.take(logged), IN_USE)
      assert.strictEqual(yield* shown, "second")
    }), 10_000)

  it.live("may be of the trust store", () =>
    Effect.gen(function*() {
      const directory = Certificates.directory("test")
      const stores = write(directory, "first")
      const { connect, logged } = yield* pair(stores)
      yield* talks(yield* connect, "trusted")
      writeFileSync(stores.trustStore.location, other.certificate)
      assert.match(yield* Queue.take(logged), IN_USE)
      const { far } = yield* connect
      const error = yield* Effect.flip(far.pull)
      assert.strictEqual(error._tag === "SecurityError" && error.reason, "UnknownIssuer")
    }), 10_000)

  it.live("may be behind a link to their directory, as Kubernetes swaps it", () =>
    Effect.gen(function*() {
      const directory = Certificates.directory("test")
      const inside = (...names: ReadonlyArray<string>) => join(directory, ...names)
      for (const name of ["first", "second"]) {
        mkdirSync(inside(name))
        write(inside(name), name)
      }
      symlinkSync("first", inside("..data"))
      for (const name of ["key.pem", "trust.pem"]) symlinkSync(join("..data", name), inside(name))
      const stores = { keyStore: { location: inside("key.pem") }, trustStore: { location: inside("trust.pem") } }
      const { logged, shown } = yield* pair(stores)
      symlinkSync("second", inside("..data_tmp"))
      renameSync(inside("..data_tmp"), inside("..data"))
      assert.match(yield* Queue.take(logged), IN_USE)
      assert.strictEqual(yield* shown, "second")
    }), 10_000)

  it.live("are not looked at unless asked for", () =>
    Effect.gen(function*() {
      const directory = Certificates.directory("test")
      const { logged, shown } = yield* pair(write(directory, "first"), false)
      // A second one that does look has seen it, so the first would have, too.
      const watching = yield* pair(write(directory, "first"))
      write(directory, "second")
      assert.match(yield* Queue.take(watching.logged), IN_USE)
      assert.strictEqual(yield* shown, "first")
      assert.strictEqual(yield* Queue.size(logged), 0)
    }), 10_000)
})

describe("watching", () => {
  it.effect("compares from time to time, for changes of which nobody gives notice", () =>
    Effect.gen(function*() {
      const far = join(Certificates.directory("test"), "far")
      const near = join(Certificates.directory("test"), "near")
      writeFileSync(far, "one")
      // The directory that is watched is that of the link, in which nothing happens.
      symlinkSync(far, near)
      const changes = yield* Queue.unbounded<void>()
      yield* Reload.watch([near], yield* Reload.fingerprint([near]), Effect.asVoid(Queue.offer(changes, undefined)))
      writeFileSync(far, "two")
      const changed = yield* Effect.forkScoped(Queue.take(changes), { startImmediately: true })
      yield* TestClock.adjust("29 seconds")
      assert.isUndefined(changed.pollUnsafe())
      // Reading takes real time, of which the test clock knows nothing.
      while (changed.pollUnsafe() === undefined) {
        yield* TestClock.adjust("1 seconds")
        yield* Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
      }
      yield* Fiber.join(changed)
    }), 10_000)
})
