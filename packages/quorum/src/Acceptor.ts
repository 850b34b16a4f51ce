/**
 * The accepting half of a transport: connections wait until someone runs a
 * handler for them, then each gets a fiber and a scope of its own.
 *
 * It knows nothing of sockets. A transport offers it what it accepted, and says
 * how to turn that into a `Connection` and how to throw it away.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import * as Scope from "effect/Scope"
import type * as Transport from "./Transport.ts"

/** Accepted connections that may wait for `run`: 50, the backlog of Java's `ServerSocket`. */
export const BACKLOG = 50

/** Takes accepted connections of type `A` and runs handlers for them. */
export interface Acceptor<in A> {
  /** Takes an accepted connection. Without room for it, or after the end, it is discarded. */
  readonly offer: (accepted: A) => void
  /** `Listener.run`. One at a time: a second one takes over the connections still to come. */
  readonly run: Transport.Listener["run"]
}

/**
 * Makes an acceptor. When the scope closes, waiting connections are discarded and
 * handlers are interrupted; it closes once they have ended.
 */
export const make = Effect.fnUntraced(function*<A>(options: {
  /** Turns what was accepted into a connection that closes with the scope. */
  readonly adopt: (accepted: A) => Effect.Effect<Transport.Connection, never, Scope.Scope>
  /** Throws away what nobody will handle. */
  readonly discard: (accepted: A) => void
}): Effect.fn.Return<Acceptor<A>, never, Scope.Scope> {
  const waiting: Array<A> = []
  const runs = yield* Scope.make()
  let handle: ((accepted: A) => void) | undefined
  let closed = false
  yield* Effect.addFinalizer((exit) => {
    closed = true
    waiting.splice(0).forEach(options.discard)
    return Scope.close(runs, exit)
  })

  const serve = Effect.fnUntraced(function*<R>(
    scope: Scope.Scope,
    handler: (connection: Transport.Connection) => Effect.Effect<void, never, R>
  ) {
    const fibers = yield* Scope.provide(FiberSet.make<void>(), scope)
    const fork = yield* FiberSet.runtime(fibers)<Exclude<R, Scope.Scope>>()
    // A forked fiber starts at once, so from here on the connection has an owner.
    const mine = (accepted: A) => {
      fork(Effect.scoped(Effect.flatMap(options.adopt(accepted), handler)).pipe(
        Effect.ignoreCause({ log: "Unhandled", message: "a connection handler died" })
      ))
    }
    yield* Scope.addFinalizer(scope, Effect.sync(() => {
      if (handle === mine) handle = undefined
    }))
    handle = mine
    waiting.splice(0).forEach(mine)
    return yield* Effect.never
  })

  return {
    offer: (accepted) => {
      if (closed) options.discard(accepted)
      else if (handle !== undefined) handle(accepted)
      else if (waiting.length < BACKLOG) waiting.push(accepted)
      else options.discard(accepted)
    },
    run: (handler) =>
      Effect.acquireUseRelease(
        Scope.fork(runs),
        (scope) => serve(scope, handler),
        (scope) => Scope.close(scope, Exit.void)
      )
  }
})
