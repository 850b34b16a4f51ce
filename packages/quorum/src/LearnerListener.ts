/**
 * Opens the quorum port of a leader, and serves the learners that come.
 *
 * Java: `Leader.LearnerCnxAcceptor`, the socket side of `LearnerHandler`.
 */
import * as Address from "@conclave/core/Address"
import type { LearnerId } from "@conclave/core/LeaderOutput"
import * as LearnerInfo from "@conclave/core/LearnerInfo"
import type { QuorumPacket } from "@conclave/core/QuorumPacket"
import * as QuorumServer from "@conclave/core/QuorumServer"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Handshake from "./Handshake.ts"
import * as HandshakeGate from "./HandshakeGate.ts"
import * as PacketLink from "./PacketLink.ts"
import * as PeerHosts from "./PeerHosts.ts"
import type { Mandate, RoleContext } from "./RoleContext.ts"
import * as Signal from "./internal/Signal.ts"
import * as Transport from "./Transport.ts"

/** What learners do, as it is told to the leader. */
export type LearnerEvent =
  | { readonly _tag: "Connected"; readonly learner: LearnerId }
  | { readonly _tag: "Packet"; readonly learner: LearnerId; readonly packet: QuorumPacket }
  | { readonly _tag: "Disconnected"; readonly learner: LearnerId }

/** The open quorum port. */
export interface LearnerListener {
  readonly send: (learner: LearnerId, packet: QuorumPacket) => Effect.Effect<void>
  /** Sends what is queued for this learner, and closes. */
  readonly close: (learner: LearnerId) => Effect.Effect<void>
  /** Returns when every learner is gone. */
  readonly drained: Effect.Effect<void>
}

/**
 * Listens on every quorum address of our own entry, or on all interfaces. An address that cannot be bound is told of,
 * and the others serve; fails when none can.
 */
export const open = Effect.fnUntraced(function*(
  context: RoleContext,
  { membership }: Mandate,
  offer: (event: LearnerEvent) => Effect.Effect<unknown>
): Effect.fn.Return<LearnerListener, Transport.ListenError, Scope.Scope> {
  const { config, transport } = context
  const self: Self = {
    context,
    membership,
    offer,
    gate: HandshakeGate.make(config.quorumCnxnThreadsSize),
    links: new Map(),
    changed: Signal.make(),
    lastId: 0
  }
  const server = membership.committed.servers.get(config.ensemble.mySid)
  const own = server === undefined ? [] : QuorumServer.quorumAddresses(server)
  const addresses = config.listenOnAllIPs ? Address.onAllInterfaces(own) : own
  const results = yield* Effect.forEach(addresses, (address) => Effect.result(transport.listen(address)))
  const listeners = results.flatMap((result) => (result._tag === "Success" ? [result.success] : []))
  const failures = results.flatMap((result) => (result._tag === "Failure" ? [result.failure] : []))
  for (const { message } of failures) yield* Effect.logWarning(message)
  if (listeners.length === 0) {
    const cause = new Error("no quorum address")
    return yield* failures[0] ?? new Transport.ListenError({ address: "no address", cause })
  }
  for (const listener of listeners) {
    yield* Effect.forkScoped(listener.run((connection) => serve(self, connection)), { startImmediately: true })
  }
  return {
    send: (learner, packet) => self.links.get(learner)?.send(packet) ?? Effect.void,
    close: (learner) => self.links.get(learner)?.close ?? Effect.void,
    drained: self.changed.until(() => self.links.size === 0)
  }
})

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

interface Self {
  readonly context: RoleContext
  readonly membership: Mandate["membership"]
  readonly offer: (event: LearnerEvent) => Effect.Effect<unknown>
  readonly gate: HandshakeGate.HandshakeGate
  readonly links: Map<LearnerId, PacketLink.PacketLink>
  readonly changed: Signal.Signal
  lastId: LearnerId
}

type LearnerError = Handshake.HandshakeError | HandshakeGate.TooManyHandshakes | PacketLink.LinkError

const serve = (self: Self, connection: Transport.Connection): Effect.Effect<void> =>
  Effect.gen(function*() {
    const learner = ++self.lastId
    const link = yield* hold(self, learner)
    const rest = yield* self.gate.run(connection.remote, authenticate(self, connection))
    yield* self.offer({ _tag: "Connected", learner })
    const greeted = Deferred.makeUnsafe<void>()
    const run = link.run(connection, rest, {
      packet: (packet) =>
        Effect.andThen(
          Effect.tap(identify(self, connection, packet), Deferred.succeed(greeted, undefined)),
          self.offer({ _tag: "Packet", learner, packet })
        ),
      progress: Effect.void
    })
    // Who has connected and says nothing counts as one who has not come to its end.
    const greet = Effect.andThen(self.gate.run(connection.remote, Deferred.await(greeted)), Effect.never)
    yield* Effect.raceFirst(run, greet)
  }).pipe(
    Effect.catch((error: LearnerError) => tell(connection.remote, error)),
    Effect.scoped
  )

const hold = (self: Self, learner: LearnerId) =>
  Effect.acquireRelease(
    Effect.map(PacketLink.make, (link) => {
      self.links.set(learner, link)
      return link
    }),
    () =>
      Effect.suspend(() => {
        self.links.delete(learner)
        self.changed.wake()
        return self.offer({ _tag: "Disconnected", learner })
      })
  )

const authenticate = ({ context }: Self, connection: Transport.Connection) => {
  const millis = context.config.handshakeTimeout
  return context.auth.server(connection, new Uint8Array(0), millis).pipe(
    Effect.timeoutOrElse({
      duration: Duration.millis(millis),
      orElse: () => Effect.fail(new Handshake.HandshakeTimedOut({ millis }))
    })
  )
}

// Who says who it is has to be where the configuration has such a server, where the transport can tell.
const identify = ({ membership }: Self, connection: Transport.Connection, { data, type }: QuorumPacket) => {
  if (type !== "FOLLOWERINFO" && type !== "OBSERVERINFO") return Effect.void
  const info = LearnerInfo.decode(data)
  if (info === null) return Effect.void
  return connection.identify(PeerHosts.ofCaller(membership, { sid: info.sid, addresses: [] }, connection))
}

const tell = (remote: string, error: LearnerError): Effect.Effect<void> => {
  switch (error._tag) {
    case "SocketError":
      return Effect.logDebug(`learner at ${remote} is gone: ${error.message}`)
    default:
      return Effect.logWarning(`connection of a learner at ${remote} closed: ${error.message}`)
  }
}
