/**
 * Follows, or observes: does what `Learner.step` decides, from the first dial of the
 * leader's quorum port to the end.
 *
 * Java: `Learner`, `Follower.followLeader`, `Observer.observeLeader`.
 */
import * as Connections from "@conclave/core/Connections"
import * as DynamicConfig from "@conclave/core/DynamicConfig"
import * as Learner from "@conclave/core/Learner"
import type { Output } from "@conclave/core/LearnerOutput"
import type { QuorumPacket } from "@conclave/core/QuorumPacket"
import * as QuorumServer from "@conclave/core/QuorumServer"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Dialing from "./Dialing.ts"
import * as History from "./History.ts"
import * as LeaseClock from "./LeaseClock.ts"
import * as PacketLink from "./PacketLink.ts"
import * as PeerHosts from "./PeerHosts.ts"
import type { Ended, Mandate, RoleContext } from "./RoleContext.ts"
import * as Timers from "./internal/Timers.ts"
import * as TraceSink from "./TraceSink.ts"
import * as Transport from "./Transport.ts"

/** How much may wait for the one fiber; the leader waits in turn. */
const INBOX_CAPACITY = 100

/**
 * How long a leader that refuses is dialled. It does not listen before it has ended its own wait for a better vote, of
 * 200 ms, which we may have ended at once, and which each late message restarts in the original. One that is gone is
 * found out by the connections of elections. Java: 5 tries, 400 ms, after a wait of its own.
 */
const DIAL_TIME = 1_000

/** The first pause before it is dialled again. It doubles, up to Java's leaderConnectDelayDuringRetryMs. */
const DIAL_PAUSE_MIN = 5

/** The longest pause. Java: leaderConnectDelayDuringRetryMs. */
const DIAL_PAUSE_MAX = 100

/** What a learner reports. */
export interface Options extends Mandate {
  readonly onFollowing: (epoch: bigint) => Effect.Effect<unknown>
  /** The leader's last configuration, as text; in force once we follow. */
  readonly onConfig: (text: string) => Effect.Effect<unknown>
  /** That this configuration is in force. */
  readonly onConfigChanged: (text: string) => Effect.Effect<unknown>
}

/** Follows to the end. Interrupted, it just goes. */
export const run = Effect.fnUntraced(function*(
  context: RoleContext,
  options: Options
): Effect.fn.Return<Ended, never, Scope.Scope> {
  const { activation, config, history, pledges } = context
  const inbox = yield* Queue.bounded<Input>(INBOX_CAPACITY)
  const offer = (input: Input) => Queue.offer(inbox, input)
  const learner: Learner.Options = {
    mySid: config.ensemble.mySid,
    leader: options.leader,
    membership: options.membership,
    ticks: activation.ticks,
    lease: activation.lease
  }
  const facts = yield* history.read
  const pledge = pledges.get()
  const self: Self = {
    ...context,
    options,
    learner,
    link: yield* PacketLink.make,
    timers: yield* Timers.make(offer),
    now: yield* LeaseClock.pledges,
    trace: yield* TraceSink.learner(learner, facts, pledge),
    state: Learner.make(facts, pledge),
    ended: null
  }
  const released = Effect.andThen(pledges.released, offer({ _tag: "PledgeReleased" }))
  yield* Effect.forkScoped(released, { startImmediately: true })
  yield* Effect.forkScoped(connect(self, offer))
  while (self.ended === null) {
    for (const input of yield* Queue.takeAll(inbox)) yield* handle(self, input)
  }
  return self.ended
})

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

type Input =
  | { readonly _tag: "Connected" }
  | { readonly _tag: "Packet"; readonly packet: QuorumPacket }
  | { readonly _tag: "Progress" }
  | { readonly _tag: "Disconnected" }
  | { readonly _tag: "NotReached" }
  | { readonly _tag: "PledgeReleased" }
  | Timers.Fired<"Silence" | "Pledge">

interface Self extends RoleContext {
  readonly options: Options
  readonly learner: Learner.Options
  readonly link: PacketLink.PacketLink
  readonly timers: Timers.Timers<"Silence" | "Pledge">
  readonly now: LeaseClock.LeaseClock
  /** Told every step. */
  readonly trace: TraceSink.Tracer<"learner">
  state: Learner.State
  ended: Ended | null
}

const connect = (self: Self, offer: (input: Input) => Effect.Effect<unknown>) =>
  Effect.gen(function*() {
    const { connection, rest } = yield* dial(self)
    yield* offer({ _tag: "Connected" })
    const handler = {
      packet: (packet: QuorumPacket) => offer({ _tag: "Packet", packet }),
      progress: offer({ _tag: "Progress" })
    }
    yield* self.link.run(connection, rest, handler).pipe(
      Effect.catch((error) =>
        error._tag === "SocketError"
          ? Effect.logDebug(`connection with the leader is gone: ${error.message}`)
          : Effect.logWarning(`connection with the leader closed: ${error.message}`)
      )
    )
    yield* offer({ _tag: "Disconnected" })
  }).pipe(
    Effect.catch(({ message }) =>
      Effect.andThen(
        Effect.logInfo(`cannot follow server ${self.options.leader}: ${message}`),
        offer({ _tag: "NotReached" })
      )
    ),
    Effect.scoped
  )

const dial = Effect.fnUntraced(function*(
  { activation, auth, config, options, transport }: Self
): Effect.fn.Return<
  { readonly connection: Transport.Connection; readonly rest: Uint8Array },
  Dialing.DialFailure,
  Scope.Scope
> {
  const { leader, membership } = options
  const server = membership.committed.servers.get(leader)
  const addresses = server === undefined ? [] : QuorumServer.quorumAddresses(server)
  const { initLimit, tickTime } = activation.ticks
  const connection = yield* Dialing.dialAny(transport, addresses, initLimit * tickTime).pipe(
    Effect.retry({ schedule: redial, while: (error) => error.reason === "Refused" })
  )
  yield* connection.identify(PeerHosts.ofDialed(membership, leader, addresses))
  const [member] = Connections.addressesOf(membership, leader)
  const rest = yield* auth.learner(connection, member?.host ?? "", config.handshakeTimeout)
  return { connection, rest }
})

const redial = Schedule.min([
  Schedule.exponential(Duration.millis(DIAL_PAUSE_MIN)),
  Schedule.spaced(Duration.millis(DIAL_PAUSE_MAX))
]).pipe(Schedule.upTo({ duration: Duration.millis(DIAL_TIME) }))

const handle = Effect.fnUntraced(function*(self: Self, input: Input) {
  const at = self.now()
  switch (input._tag) {
    case "Packet": {
      const { lastLoggedZxid } = yield* self.history.read
      return yield* dispatch(self, { _tag: "Received", packet: input.packet, at, lastLoggedZxid })
    }
    case "Fired":
      if (self.timers.claim(input)) yield* dispatch(self, { _tag: "TimedOut", timer: input.timer, at })
      return
    case "PledgeReleased":
      return yield* dispatch(self, { _tag: "PledgeReleased", at })
    default:
      return yield* dispatch(self, input)
  }
})

const dispatch: (self: Self, event: Learner.Event) => Effect.Effect<void> = Effect.fnUntraced(function*(self, event) {
  const [state, outputs] = Learner.step(self.learner, self.state, event)
  self.state = state
  self.trace(event, outputs)
  for (const output of outputs) yield* perform(self, output)
})

const perform = (self: Self, output: Output): Effect.Effect<void> => {
  switch (output._tag) {
    case "Send":
      return self.link.send(output.packet)
    case "SetTimer":
      return self.timers.set(output.timer, output.after)
    case "CancelTimer":
      return self.timers.cancel(output.timer)
    case "StoreAcceptedEpoch":
      return store(self, self.history.setAcceptedEpoch(output.epoch), () => ({ _tag: "AcceptedEpochStored" }))
    case "StoreCurrentEpoch":
      return store(self, self.history.setCurrentEpoch(output.epoch), () => ({
        _tag: "CurrentEpochStored",
        at: self.now()
      }))
    case "ConfigSeen":
      return Effect.andThen(keepConfig(self, output.text), Effect.asVoid(self.options.onConfig(output.text)))
    case "ConfigChanged":
      return Effect.asVoid(self.options.onConfigChanged(output.text))
    case "Following":
      return Effect.asVoid(self.options.onFollowing(output.epoch))
    case "Pledged":
      self.pledges.set(output.pledge)
      return Effect.void
    case "Left":
      self.ended = { reason: output.reason, successor: output.successor }
      return Effect.void
    case "Ignored":
      return Effect.void
  }
}

// One that is pending is kept before we acknowledge it: from then on our word may decide in it.
const keepConfig = ({ config, options, store }: Self, text: string): Effect.Effect<void> => {
  const { committed } = options.membership
  const { multiAddress, reconfigEnabled, standaloneEnabled } = config.ensemble
  if (!reconfigEnabled || text === committed.text) return Effect.void
  const oraclePath = committed._tag === "Oracle" ? committed.oraclePath : undefined
  const parsed = DynamicConfig.parse(text, { standaloneEnabled, multiAddress, oraclePath })
  const isNewer = Result.isSuccess(parsed) && parsed.success.version > committed.version
  return isNewer ? store.lastSeen(parsed.success) : Effect.void
}

const store = (
  self: Self,
  write: ReturnType<RoleContext["history"]["setAcceptedEpoch"]>,
  stored: () => Learner.Event
): Effect.Effect<void> =>
  Effect.flatMap(History.attempt(write), (isStored) => dispatch(self, isStored ? stored() : { _tag: "StoreFailed" }))
