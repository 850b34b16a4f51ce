/**
 * GSS-API over the library of MIT Kerberos, through the foreign function interface
 * `koffi`, which it is given.
 *
 * What may wait for a KDC or a file is done in another thread. Nothing of the
 * process is changed: keytabs and ticket caches are named to the library for each
 * login (gss_acquire_cred_from), not in environment variables.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type Gss, type GssContext, GssError, type Stepped } from "./Gss.ts"
import type { Initiator } from "./KerberosLogin.ts"
import * as gssFunctions from "./internal/gssFunctions.ts"
import * as gssStatus from "./internal/gssStatus.ts"
import * as turns from "./internal/turns.ts"

/** What we use of the package koffi. */
export type Koffi = gssFunctions.Koffi

/** Loads the library. A call under way when the scope closes is waited for. */
export const make = Effect.fnUntraced(function*(koffi: Koffi): Effect.fn.Return<Gss, GssError, Scope.Scope> {
  const library = yield* Effect.try({
    try: () => gssFunctions.load(koffi),
    catch: (cause) => new GssError({ reason: "Unavailable", said: String(cause) })
  })
  // Each holds one of the few threads that files and host names need too, for as long as a KDC does not answer. Who
  // dials us does not wait for that.
  const [initiating, accepting] = [yield* turns.make, yield* turns.make]
  return {
    initiate: Effect.fnUntraced(function*(login, service) {
      const { context, credential, name, target } = yield* hold(library, initiating)
      yield* initiating.run(Effect.gen(function*() {
        yield* importName(library, service, library.hostbasedService, target)
        if (login.principal !== null) yield* importName(library, login.principal, library.principalName, name)
        yield* acquire(library, name, INITIATE, initiatorStore(login), credential)
      }))
      return contextOf(library, initiating, context, (token, answer) => [
        library.initSecContext,
        credential[0],
        context,
        target[0],
        library.krb5,
        FLAGS,
        0,
        null,
        token,
        null,
        answer,
        null,
        null
      ])
    }),
    accept: Effect.fnUntraced(function*({ keyTab, principal }) {
      const { context, credential, name } = yield* hold(library, accepting)
      yield* accepting.run(Effect.gen(function*() {
        yield* importName(library, principal, library.principalName, name)
        yield* acquire(library, name, ACCEPT, [{ key: "keytab", value: `FILE:${keyTab}` }], credential)
      }))
      return contextOf(library, accepting, context, (token, answer) => [
        library.acceptSecContext,
        context,
        credential[0],
        token,
        null,
        null,
        null,
        answer,
        null,
        null,
        null
      ])
    })
  }
})

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/** GSS_C_INITIATE. */
const INITIATE = 1

/** GSS_C_ACCEPT. */
const ACCEPT = 2

/** GSS_C_MUTUAL_FLAG, GSS_C_SEQUENCE_FLAG and GSS_C_INTEG_FLAG (RFC 2744): we want the server proved, and to wrap. */
const FLAGS = 2 | 8 | 32

type Call = readonly [native: gssFunctions.Native, ...args: ReadonlyArray<unknown>]

/** The handles of one context, which are released, in their turn, when the scope closes. */
const hold = Effect.fnUntraced(function*(library: gssFunctions.Functions, turn: turns.Turns) {
  const none = (): gssFunctions.Handle => [null]
  const handles = { name: none(), target: none(), credential: none(), context: none() }
  yield* Effect.addFinalizer(() =>
    turn.later(Effect.sync(() => {
      // One that is none may be released too.
      library.deleteSecContext([0], handles.context, null)
      library.releaseCred([0], handles.credential)
      library.releaseName([0], handles.target)
      library.releaseName([0], handles.name)
    }))
  )
  return handles
})

const importName = (library: gssFunctions.Functions, name: string, type: unknown, handle: gssFunctions.Handle) =>
  call(library, library.importName, bufferOf(new TextEncoder().encode(name)), type, handle)

type Store = ReadonlyArray<{ readonly key: string; readonly value: string }>

// Tickets of our own go where nobody else looks, as Java's do: those with the same key may share them.
const initiatorStore = ({ keyTab, principal, useTicketCache }: Initiator): Store => [
  ...(keyTab === null ? [] : [{ key: "client_keytab", value: `FILE:${keyTab}` }]),
  ...(useTicketCache ? [] : [{ key: "ccache", value: `MEMORY:conclave ${principal} ${keyTab}` }])
]

const acquire = (
  library: gssFunctions.Functions,
  [name]: gssFunctions.Handle,
  usage: number,
  store: Store,
  credential: gssFunctions.Handle
) => {
  const elements = store.length === 0 ? null : { count: store.length, elements: store }
  return callInThread(
    library,
    [library.acquireCred, name, 0, library.onlyKrb5, usage, elements, credential, null, null]
  )
}

const contextOf = (
  library: gssFunctions.Functions,
  turn: turns.Turns,
  context: gssFunctions.Handle,
  step: (token: gssFunctions.GssBuffer | null, answer: object) => Call
): GssContext => ({
  step: (token) =>
    turn.run(
      answerOf(library, (answer) => callInThread(library, step(token.length === 0 ? null : bufferOf(token), answer)))
    ).pipe(Effect.map(([token, major]): Stepped => ({ token, complete: !gssStatus.continues(major) }))),
  initiator: Effect.suspend(() => {
    const name: gssFunctions.Handle = [null]
    return call(library, library.inquireContext, context[0], name, null, null, null, null, null, null).pipe(
      Effect.andThen(answerOf(library, (answer) => call(library, library.displayName, name[0], answer, null))),
      Effect.map(([text]) => new TextDecoder().decode(text)),
      Effect.ensuring(Effect.sync(() => library.releaseName([0], name)))
    )
  }),
  wrap: (message) =>
    Effect.map(
      answerOf(library, (answer) => call(library, library.wrap, context[0], 0, 0, bufferOf(message), null, answer)),
      ([token]) => token
    ),
  unwrap: (token) =>
    Effect.map(
      answerOf(library, (answer) => call(library, library.unwrap, context[0], bufferOf(token), answer, null, null)),
      ([message]) => message
    )
})

const bufferOf = (bytes: Uint8Array): gssFunctions.GssBuffer => ({ length: bytes.length, value: bytes })

// A function that fails may have something to say as well.
const answerOf = (library: gssFunctions.Functions, ask: (answer: object) => Effect.Effect<number, GssError>) =>
  Effect.suspend(() => {
    const answer = {}
    const take = Effect.sync(() => gssFunctions.take(library, answer))
    return ask(answer).pipe(
      Effect.onError(() => take),
      Effect.flatMap((major) => Effect.map(take, (bytes) => [bytes, major] as const))
    )
  })

const call = (library: gssFunctions.Functions, ...[native, ...args]: Call) =>
  Effect.suspend(() => {
    const minor: [number] = [0]
    const major = native(minor, ...args)
    return gssStatus.check(library, major, minor[0])
  })

const callInThread = (library: gssFunctions.Functions, [native, ...args]: Call) =>
  Effect.callback<number, GssError>((resume) => {
    const minor: [number] = [0]
    // What the arguments point to must outlast the call, of which a garbage collector knows nothing.
    const held = [minor, ...args]
    native.async(...held, (error: unknown, major: number) => {
      held.length = 0
      resume(error ? Effect.die(error) : gssStatus.check(library, major, minor[0]))
    })
  })
