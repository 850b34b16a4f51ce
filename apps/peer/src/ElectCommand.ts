/**
 * `conclave elect`: joins, waits for a leader, prints it and leaves.
 */
import * as QuorumPeer from "@conclave/quorum/QuorumPeer"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import * as Flags from "./Flags.ts"
import * as Json from "@conclave/core/Json"
import * as PeerLayer from "./PeerLayer.ts"
import * as PeerLog from "./PeerLog.ts"
import * as Report from "./Report.ts"

/** No leader was found in the time given. */
export class NoLeader extends Schema.TaggedError<NoLeader>()("NoLeader", {
  millis: Schema.Finite,
  connected: Schema.String
}) {
  /** As timeout(1) has it. */
  override readonly [Runtime.errorExitCode] = 124

  override get message(): string {
    return `no leader within ${this.millis} ms; connected with ${this.connected}`
  }
}

/** The command. */
export const command = Command.make(
  "elect",
  {
    ...Flags.peer,
    ...Flags.log,
    timeout: Flags.timeout("timeout", "Give up, with exit code 124, when there is no leader after this time")
  },
  (flags) =>
    elect(flags).pipe(
      Effect.scoped,
      Effect.provide(PeerLog.layer(flags.logFormat, "stderr"))
    )
).pipe(Command.withDescription("Join, wait until a leader is decided, print it as one JSON line, and leave"))

const elect = Effect.fnUntraced(function*(
  flags: Flags.PeerFlags & { readonly timeout: Option.Option<Duration.Duration> }
) {
  const config = yield* Flags.loadConfig(flags)
  yield* Effect.gen(function*() {
    const peer = yield* QuorumPeer.QuorumPeer
    const report = yield* Effect.raceFirst(within(peer, flags.timeout), peer.join)
    yield* Console.log(Json.stringify(Report.elected(report)))
  }).pipe(
    Effect.provide(PeerLayer.layer(config, Flags.facts(flags), flags)),
    Effect.annotateLogs({ sid: config.mySid })
  )
})

const within = (peer: QuorumPeer.QuorumPeer["Service"], timeout: Option.Option<Duration.Duration>) =>
  Option.match(timeout, {
    onNone: () => peer.awaitLeader,
    onSome: (duration) =>
      Effect.timeoutOrElse(peer.awaitLeader, {
        duration,
        orElse: () =>
          Effect.flatMap(peer.connected, (sids) =>
            Effect.fail(
              new NoLeader({
                millis: Duration.toMillis(duration),
                connected: sids.size === 0 ? "nobody" : `server ${Array.from(sids).join(", ")}`
              })
            ))
      })
  })
