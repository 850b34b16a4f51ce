/**
 * The connections that are open, each waiting for its verdict or at work.
 */
import type { LinkId, Output } from "@conclave/core/ConnectionsOutput"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { noTraffic, type Traffic } from "./LinkBook.ts"
import type { Connection } from "./Transport.ts"

/** That a link is to be closed, why, and how. */
export type CloseOrder = Output & { readonly _tag: "Close" }

/** An open connection; numbered before its handshake, so that the numbers tell which of two is newer. */
export interface Link {
  readonly id: LinkId
  readonly connection: Connection
  readonly dialedBy: "Us" | "Them"
  readonly traffic: Traffic
  /** Becomes the sid of the peer when the link is adopted. */
  readonly adopted: Deferred.Deferred<bigint>
  /** Comes when the link is to be closed, adopted or not. */
  readonly closed: Deferred.Deferred<CloseOrder>
}

/** All open links. */
export interface Links {
  /** Numbers a connection that was just dialled or accepted, and holds it until the scope closes. */
  readonly open: (connection: Connection, dialedBy: "Us" | "Them") => Effect.Effect<Link, never, Scope.Scope>
  readonly adopt: (id: LinkId, sid: bigint) => Effect.Effect<void>
  readonly close: (order: CloseOrder) => Effect.Effect<void>
  /** The far end of a link, for people to read. */
  readonly remoteOf: (id: LinkId) => string | undefined
}

/** No links. */
export const make = (): Links => {
  const links = new Map<LinkId, Link>()
  let lastId: LinkId = 0
  return {
    open: (connection, dialedBy) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          const id = ++lastId
          const link: Link = {
            id,
            connection,
            dialedBy,
            traffic: noTraffic(),
            adopted: Deferred.makeUnsafe(),
            closed: Deferred.makeUnsafe()
          }
          links.set(id, link)
          return link
        }),
        ({ id }) => Effect.sync(() => links.delete(id))
      ),
    adopt: (id, sid) => complete(links.get(id)?.adopted, sid),
    close: (order) => complete(links.get(order.link)?.closed, order),
    remoteOf: (id) => links.get(id)?.connection.remote
  }
}

const complete = <A>(deferred: Deferred.Deferred<A> | undefined, value: A): Effect.Effect<void> =>
  deferred === undefined ? Effect.void : Effect.asVoid(Deferred.succeed(deferred, value))
