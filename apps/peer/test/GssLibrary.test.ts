/**
 * The library of MIT Kerberos as we call it, with a KDC: both sides of a context in one process.
 */
import { GssError, type Gss } from "@conclave/quorum-sasl/Gss"
import * as GssLibrary from "@conclave/quorum-sasl/GssLibrary"
import type { Acceptor, Initiator } from "@conclave/quorum-sasl/KerberosLogin"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { once } from "node:events"
import { copyFile, readFile, writeFile } from "node:fs/promises"
import { type AddressInfo, createServer, type Socket } from "node:net"
import { onTestFinished, vi } from "vitest"
import * as ZooKerberos from "../src/ZooKerberos.ts"
import * as Kdc from "./support/Kdc.ts"

const missing = await Kdc.missing()
if (missing !== undefined) console.warn(`GSS-API is not tested: ${missing}`)

const NOTHING = new Uint8Array(0)

// Until then there are new threads, caches, and code that gets compiled.
const WARM_UP = 500

const EXCHANGES = 1_500

// Measured: up to 3 MiB, and 18 or 30 with a context or a credential that is not released.
const GROWTH_MAX = 10 * 1024 * 1024

/** A KDC that this process asks, and who takes part. */
const realm = async () => {
  const kdc = await Kdc.start()
  // A cache of this machine's would be found where a test expects none.
  const env = { ...kdc.env, KRB5CCNAME: `FILE:${kdc.conf}.cache` }
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  onTestFinished(() => void vi.unstubAllEnvs())
  const learner: Initiator = {
    principal: `learner/zk1@${Kdc.REALM}`,
    keyTab: await kdc.keyTab("learner/zk1"),
    useTicketCache: false
  }
  const server: Acceptor = { principal: `zkquorum/zk2@${Kdc.REALM}`, keyTab: await kdc.keyTab("zkquorum/zk2") }
  return { kdc, learner, server, service: "zkquorum@zk2" }
}

type Realm = Awaited<ReturnType<typeof realm>>

/** A whole exchange: who began, as both see it, and what was wrapped, unwrapped. */
const exchange = (gss: Gss, { learner, server, service }: Realm) =>
  Effect.scoped(Effect.gen(function*() {
    const [near, far] = [yield* gss.initiate(learner, service), yield* gss.accept(server)]
    const request = yield* near.step(NOTHING)
    const reply = yield* far.step(request.token)
    const end = yield* near.step(reply.token)
    assert.deepStrictEqual([request.complete, reply.complete, end], [false, true, { token: NOTHING, complete: true }])
    const message = Uint8Array.of(1, 0, 0, 0)
    const there = yield* far.unwrap(yield* near.wrap(message))
    const back = yield* near.unwrap(yield* far.wrap(message))
    return { names: [yield* near.initiator, yield* far.initiator], messages: [there, back] }
  }))

/** A ticket for this service. */
const ticket = (gss: Gss, { learner, service }: Pick<Realm, "learner" | "service">) =>
  gss.initiate(learner, service).pipe(
    Effect.flatMap(({ step }) => step(NOTHING)),
    Effect.map(({ token }) => token),
    Effect.scoped
  )

const accepting = (gss: Gss, server: Acceptor, token: Uint8Array) =>
  Effect.scoped(Effect.flatMap(gss.accept(server), ({ step }) => step(token)))

/** The package, and what the library has given through it and not got back: which function gave it, by its address. */
const counting = (original: GssLibrary.Koffi) => {
  const live = new Map<bigint, string>()
  let taken = 0
  const pointers = (args: ReadonlyArray<unknown>) =>
    args.flatMap((arg) => {
      const pointer = Array.isArray(arg) ? arg[0] : (arg as { readonly value?: unknown } | null)?.value
      return typeof pointer === "bigint" ? [pointer] : []
    })
  const watch = (name: string, args: ReadonlyArray<unknown>, before: ReadonlyArray<bigint>) => {
    if (/_(release|delete)_/.test(name)) return before.forEach((pointer) => live.delete(pointer))
    for (const pointer of pointers(args)) {
      if (!live.has(pointer)) taken++
      live.set(pointer, name)
    }
  }
  const wrap = (name: string, native: Native): Native =>
    Object.assign(
      (...args: ReadonlyArray<unknown>) => {
        const before = pointers(args)
        const major = native(...args)
        watch(name, args, before)
        return major
      },
      {
        async: (...args: ReadonlyArray<unknown>) => {
          const done = args.at(-1) as (...result: ReadonlyArray<unknown>) => void
          native.async(...args.slice(0, -1), (...result: ReadonlyArray<unknown>) => {
            watch(name, args, [])
            done(...result)
          })
        }
      }
    )
  const load: GssLibrary.Koffi["load"] = (path) => {
    const library = original.load(path)
    return {
      symbol: (name) => library.symbol(name),
      func: (name, result, parameters) => wrap(name, library.func(name, result, parameters))
    }
  }
  return { koffi: { ...original, load }, live, taken: () => taken }
}

type Native = ReturnType<ReturnType<GssLibrary.Koffi["load"]>["func"]>

/** Runs a test with the library. */
const withLibrary = <A, E>(use: (gss: Gss) => Effect.Effect<A, E>) =>
  Effect.runPromise(Effect.scoped(Effect.flatMap(ZooKerberos.load, use)))

const told = (effect: Effect.Effect<unknown, GssError>) =>
  Effect.map(Effect.flip(effect), ({ reason, said }) => `${reason}: ${said}`)

describe.skipIf(missing !== undefined)("GSS-API", () => {
  it("proves each to the other, and wraps", async () => {
    const given = await realm()
    const { messages, names } = await withLibrary((gss) => exchange(gss, given))
    assert.deepStrictEqual(names, [given.learner.principal, given.learner.principal])
    assert.deepStrictEqual(messages, [Uint8Array.of(1, 0, 0, 0), Uint8Array.of(1, 0, 0, 0)])
  })

  it("takes tickets from a cache that others fill", async () => {
    const given = await realm()
    await withLibrary((gss) =>
      Effect.gen(function*() {
        const user: Initiator = { principal: null, keyTab: null, useTicketCache: true }
        assert.match(yield* told(ticket(gss, { ...given, learner: user })), /^Failed: No credentials were supplied/)
        yield* ticket(gss, { ...given, learner: { ...given.learner, useTicketCache: true } })
        const { names } = yield* exchange(gss, { ...given, learner: user })
        assert.deepStrictEqual(names, [given.learner.principal, given.learner.principal])
      }))
  })

  it("says why there is no ticket", async () => {
    const given = await realm()
    const { kdc, learner, server } = given
    const old = { ...learner, principal: `old/zk1@${Kdc.REALM}`, keyTab: await kdc.keyTab("old/zk1") }
    await kdc.expire("old/zk1", "yesterday")
    await withLibrary((gss) =>
      Effect.gen(function*() {
        const of = (initiator: Initiator, service = given.service) => told(ticket(gss, { learner: initiator, service }))
        assert.strictEqual(yield* of(learner, "zkquorum@zk9"), "Failed: Server not found in Kerberos database")
        assert.match(yield* of(old), /^Failed: .*Client's entry in database has expired$/)
        // Without a key there is no cache with a ticket either.
        assert.match(yield* of({ ...learner, keyTab: server.keyTab }), /^Failed: No credentials were .* cache found$/)
      }))
  })

  it("says why a ticket is not taken", async () => {
    const given = await realm()
    const { kdc, learner, server } = given
    const other = { principal: `other/zk2@${Kdc.REALM}`, keyTab: await kdc.keyTab("other/zk2") }
    await withLibrary((gss) =>
      Effect.gen(function*() {
        const good = yield* ticket(gss, given)
        const defective = "DefectiveToken: Invalid token was supplied"
        assert.strictEqual(yield* told(accepting(gss, server, Uint8Array.of(1))), defective)
        const others = yield* ticket(gss, { learner, service: "other@zk2" })
        assert.strictEqual(yield* told(accepting(gss, server, others)), "NoKey: The ticket isn't for us")
        assert.isTrue((yield* accepting(gss, other, others)).complete)
        assert.isTrue((yield* accepting(gss, server, good)).complete)
        assert.strictEqual(yield* told(accepting(gss, server, good)), "Failed: Request is a replay")
        const renewed = { ...server, keyTab: yield* Effect.promise(() => kdc.rekey("zkquorum/zk2")) }
        const old = yield* ticket(gss, given)
        assert.strictEqual(yield* told(accepting(gss, renewed, old)), "NoKey: Key version is not available")
      }))
  })

  it("says that there is no key to be had", async () => {
    const { learner, server } = await realm()
    await withLibrary((gss) =>
      Effect.gen(function*() {
        const of = (keyTab: string) => told(Effect.scoped(gss.accept({ ...server, keyTab })))
        assert.match(yield* of("/nowhere"), /^Failed: .*No such file or directory$/)
        assert.match(yield* of(learner.keyTab ?? ""), /^Failed: .*No principal in keytab matches desired name$/)
      }))
  })

  it("takes no ticket from somebody whose clock is far behind", async () => {
    const given = await realm()
    const tight = `${given.kdc.conf}.tight`
    await writeFile(tight, (await readFile(given.kdc.conf, "utf8")).replace("[libdefaults]", "$&\n  clockskew = 1"))
    await withLibrary((gss) =>
      Effect.gen(function*() {
        const [good, late] = [yield* ticket(gss, given), yield* ticket(gss, given)]
        // A clock cannot be set here, so the token gets as old as if it were from somebody whose clock is behind.
        yield* Effect.sleep("2500 millis")
        yield* Effect.sync(() => vi.stubEnv("KRB5_CONFIG", tight))
        assert.strictEqual(yield* told(accepting(gss, given.server, late)), "Failed: Clock skew too great")
        yield* Effect.sync(() => vi.stubEnv("KRB5_CONFIG", given.kdc.conf))
        assert.isTrue((yield* accepting(gss, given.server, good)).complete)
      }))
  })

  it("waits for a KDC that does not answer without keeping anybody else from working", async () => {
    const given = await realm()
    const silent = createServer()
    const callers: Array<Socket> = []
    silent.on("connection", (socket) => callers.push(socket.on("error", () => undefined)))
    silent.listen(0, "127.0.0.1")
    await once(silent, "listening")
    onTestFinished(() => void silent.close())
    const conf = `${given.kdc.conf}.silent`
    const { port } = silent.address() as AddressInfo
    await writeFile(conf, (await readFile(given.kdc.conf, "utf8")).replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${port}`))
    const copy = `${given.learner.keyTab}.copy`
    await copyFile(given.learner.keyTab ?? "", copy)
    await withLibrary((gss) =>
      Effect.gen(function*() {
        const token = yield* ticket(gss, given)
        vi.stubEnv("KRB5_CONFIG", conf)
        const asked = Effect.promise(() => once(silent, "connection"))
        // One without a ticket yet.
        const learner = { ...given.learner, keyTab: copy }
        const fiber = yield* Effect.forkChild(ticket(gss, { ...given, learner }), { startImmediately: true })
        // This process is the KDC, too: it could not be dialled if the library kept its only thread.
        yield* asked
        assert.isTrue((yield* accepting(gss, given.server, token)).complete)
        yield* Fiber.interrupt(fiber)
        // Now it fails, and nothing keeps the library from being closed.
        silent.close()
        callers.forEach((socket) => socket.destroy())
      }))
  })

  it("gives back all that the library has given, also when something fails", async () => {
    const given = await realm()
    const { koffi, live, taken } = counting(await import("koffi"))
    const other = { ...given, service: "other@zk2" }
    await given.kdc.keyTab("other/zk2")
    await Effect.runPromise(Effect.scoped(Effect.gen(function*() {
      const gss = yield* GssLibrary.make(koffi)
      yield* exchange(gss, given)
      yield* Effect.flip(ticket(gss, { ...given, service: "zkquorum@zk9" }))
      yield* Effect.flip(accepting(gss, given.server, Uint8Array.of(1)))
      yield* Effect.flip(accepting(gss, given.server, yield* ticket(gss, other)))
      yield* Effect.flip(Effect.scoped(gss.accept({ ...given.server, keyTab: "/nowhere" })))
      const broken = Effect.flatMap(gss.accept(given.server), ({ unwrap }) => unwrap(Uint8Array.of(1)))
      yield* Effect.flip(Effect.scoped(broken))
    })))
    assert.isAbove(taken(), 30)
    assert.deepStrictEqual(live, new Map())
  })

  it("takes no more memory after a thousand exchanges", async () => {
    const given = await realm()
    await withLibrary((gss) =>
      Effect.gen(function*() {
        const sizeAfter = (count: number) =>
          Effect.as(Effect.repeat(exchange(gss, given), { times: count }), undefined).pipe(
            Effect.map(() => process.memoryUsage.rss())
          )
        const before = yield* sizeAfter(WARM_UP)
        const after = yield* sizeAfter(EXCHANGES)
        assert.isBelow(after - before, GROWTH_MAX)
      }))
  })
})
