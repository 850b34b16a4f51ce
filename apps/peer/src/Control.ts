/**
 * A peer as scripts drive it: events as JSON lines on stdout, commands as lines
 * on stdin.
 *
 * Events: `ready` once it listens, `looking`, `elected`, `state` after every change
 * of state, `activated` when a quorum has activated the leader, `status` when asked,
 * with the connections, `error` for a command that cannot be obeyed, and `stopped`
 * last. Commands: `look`, `resign`, `transfer SID`, `status`, `stop`.
 */
import * as Address from "@conclave/core/Address"
import * as PeerStatus from "@conclave/quorum/PeerStatus"
import type { QuorumPeer } from "@conclave/quorum/QuorumPeer"
import type { Tenure } from "@conclave/quorum/Tenure"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Json from "./Json.ts"
import * as Report from "./Report.ts"

type Peer = QuorumPeer["Service"]

/** Reports events and obeys commands until `stop`. The end of stdin is not a command. */
export const run = (peer: Peer, tenure: Tenure["Service"]) =>
  Effect.gen(function*() {
    yield* print("ready", { sid: peer.sid, addresses: peer.addresses.map(Address.format) })
    yield* Effect.forkChild(events(peer))
    yield* Effect.forkChild(activations(tenure))
    yield* commands(peer, tenure)
  }).pipe(Effect.ensuring(print("stopped", { sid: peer.sid })))

const print = (event: string, fields: object) => Console.log(Json.stringify({ event, ...fields }))

const events = (peer: Peer) =>
  Stream.runForEach(peer.changes, (status) =>
    Effect.gen(function*() {
      if (status._tag === "Looking") {
        yield* print("looking", { sid: peer.sid, reason: PeerStatus.describeCause(status.cause) })
      } else yield* print("elected", Report.elected(status.report))
      yield* print("state", { sid: peer.sid, state: PeerStatus.serverState(status) })
    }))

const activations = ({ changes, sid }: Tenure["Service"]) =>
  Stream.runForEach(changes, (status) =>
    status._tag === "LOOKING" ? Effect.void : print("activated", Report.activated(sid, status)))

// Whoever closed stdin may still want the peer to run, so its end is not the end; SIGTERM is.
const commands = (peer: Peer, tenure: Tenure["Service"]) =>
  Effect.gen(function*() {
    const { stdin } = yield* Stdio.Stdio
    const lines = stdin.pipe(Stream.decodeText, Stream.splitLines, Stream.map((line) => line.trim()))
    const stop = yield* Stream.runHead(lines.pipe(
      Stream.tap((command) => (command === "stop" ? Effect.void : obey(peer, tenure, command))),
      Stream.filter((command) => command === "stop")
    ))
    if (Option.isNone(stop)) return yield* Effect.never
  })

const printStatus = Effect.fnUntraced(function*(peer: Peer, tenure: Tenure["Service"]) {
  const leadership = yield* tenure.status
  const epoch = leadership._tag === "LOOKING" ? null : leadership.epoch
  const connections = (yield* peer.connections).map(Report.connection)
  const rejections = Object.fromEntries(yield* peer.rejections)
  const configuration = Report.configuration(peer.sid, yield* peer.membership)
  const status = Report.status(peer.sid, yield* peer.status)
  yield* print("status", { ...status, epoch, configuration, connections, rejections })
})

const obey = (peer: Peer, tenure: Tenure["Service"], command: string) => {
  const [verb, sid] = command.split(" ")
  if (verb === "transfer" && /^-?\d{1,19}$/.test(sid ?? "")) return transfer(tenure, BigInt(sid ?? ""))
  switch (command) {
    case "":
      return Effect.void
    case "look":
      return peer.lookForLeader
    case "resign":
      return tenure.resign
    case "status":
      return printStatus(peer, tenure)
    default:
      return print("error", { sid: peer.sid, problem: `no such command: ${command}; there are ${COMMANDS}` })
  }
}

const COMMANDS = "look, resign, transfer SID, status and stop"

const transfer = ({ sid, transferTo }: Tenure["Service"], to: bigint) =>
  Effect.catch(transferTo(to), ({ message }) => print("error", { sid, problem: message }))
