/**
 * Plays the core as the peer of a golden trace: translates the trace's steps into
 * events, and states and outputs into the trace's outcomes. Decides nothing.
 */
import * as Result from "effect/Result"
import * as DynamicConfig from "../../src/DynamicConfig.ts"
import * as Election from "../../src/Election.ts"
import type { Output } from "../../src/ElectionOutput.ts"
import * as Ensemble from "../../src/Ensemble.ts"
import type { ToSend } from "../../src/Notification.ts"
import * as NotificationCodec from "../../src/NotificationCodec.ts"
import type { LearnerType } from "../../src/QuorumServer.ts"
import type { QuorumVerifier } from "../../src/QuorumVerifier.ts"
import * as Rules from "../../src/Rules.ts"
import type { ServerState } from "../../src/ServerState.ts"
import type { Vote } from "../../src/Vote.ts"

/** A configuration of a trace, with its text in place. */
export interface Quorum {
  readonly text: string
}

/** What a trace says about its peer. */
export interface Config {
  readonly myid: string
  readonly learnerType: LearnerType
  readonly quorum: Quorum
  readonly lastSeenQuorum: Quorum | null
  readonly lastLoggedZxid: string
  readonly currentEpoch: string
  readonly reconfigEnabled: boolean
  readonly loopback: "auto" | "manual"
  readonly finalizeWait: number
  readonly minNotificationInterval: number
  readonly maxNotificationInterval: number
}

/** One thing that happens to the peer of a trace. */
export type Step =
  | { readonly op: "look" | "finalize" | "lose" }
  | { readonly op: "deliver"; readonly from: string; readonly bytes: Uint8Array }
  | { readonly op: "idle"; readonly delivered: boolean }
  | { readonly op: "establish"; readonly epoch?: string; readonly zxid?: string }

/** What the peer did in a step, and where it stands. */
export interface Outcome {
  readonly sent: ReadonlyArray<ToSend & { readonly version: number; readonly hex: Uint8Array }>
  readonly proposal: Election.State["proposal"]
  readonly clock: bigint
  readonly state: ServerState
  readonly returned: { readonly vote: Vote | null } | null
  readonly waiting: { readonly kind: "notify" | "finalize"; readonly ms: number } | null
  readonly currentVote: Vote | null
  readonly recvset: ReadonlyMap<bigint, Vote> | undefined
  readonly outofelection: ReadonlyMap<bigint, Vote> | undefined
  readonly connectAll: number
  readonly queued: number
  readonly restarted: boolean
  readonly receiverDied: null
}

/** A peer under the `zookeeper` rules, as the contract of the golden traces asks for it. */
export const createPeer = (config: Config): { readonly step: (step: Step) => Outcome } => {
  const mySid = BigInt(config.myid)
  const { finalizeWait, maxNotificationInterval, minNotificationInterval, reconfigEnabled } = config
  const ensemble = Ensemble.make({
    mySid,
    rules: Rules.zookeeper,
    timing: { finalizeWait, minNotificationInterval, maxNotificationInterval },
    reconfigEnabled
  })
  const membership = Ensemble.membership({
    mySid,
    committed: verifierOf(config.quorum),
    lastSeen: config.lastSeenQuorum === null ? undefined : verifierOf(config.lastSeenQuorum),
    learnerType: config.learnerType
  })
  let history = { lastLoggedZxid: BigInt(config.lastLoggedZxid), currentEpoch: BigInt(config.currentEpoch) }
  let state: Election.State = Election.make(ensemble, membership, history)
  let waiting: Outcome["waiting"] = null

  const eventsOf = (step: Step): ReadonlyArray<Election.Event> => {
    switch (step.op) {
      case "look":
        return [{ _tag: "LookForLeader", ...history }]
      case "deliver":
        return received(BigInt(step.from), step.bytes)
      case "idle":
        return [{ _tag: "NotificationTimeout", haveDelivered: step.delivered, undelivered: new Set() }]
      case "finalize":
        return [{ _tag: "FinalizeTimeout" }]
      case "establish":
        history = {
          lastLoggedZxid: step.zxid === undefined ? history.lastLoggedZxid : BigInt(step.zxid),
          currentEpoch: step.epoch === undefined ? history.currentEpoch : BigInt(step.epoch)
        }
        return step.epoch === undefined ? [] : [{ _tag: "EpochEstablished", peerEpoch: BigInt(step.epoch) }]
      case "lose":
        return [{ _tag: "LeaderLost" }]
    }
  }

  return {
    step: (step) => {
      const outputs: Array<Output> = []
      const searching = state._tag === "Looking" || step.op === "look"
      const events = eventsOf(step).slice()
      for (let event = events.shift(); event !== undefined; event = events.shift()) {
        const [next, decided] = Election.step(ensemble, state, event)
        state = next
        outputs.push(...decided)
        if (config.loopback === "auto") events.push(...loopback(mySid, decided))
      }
      waiting = waitingAfter(waiting, outputs)
      return outcome(state, outputs, waiting, searching)
    }
  }
}

const verifierOf = ({ text }: Quorum): QuorumVerifier =>
  Result.getOrThrow(DynamicConfig.parse(text, { standaloneEnabled: true, multiAddress: false }))

const received = (from: bigint, bytes: Uint8Array): ReadonlyArray<Election.Event> =>
  Result.match(NotificationCodec.decode(from, bytes), {
    onFailure: () => [],
    onSuccess: (notification) => [{ _tag: "Received", notification }]
  })

const loopback = (mySid: bigint, outputs: ReadonlyArray<Output>): ReadonlyArray<Election.Event> =>
  outputs.flatMap((output) =>
    output._tag === "Send" && output.toSend.to === mySid ? received(mySid, NotificationCodec.encode(output.toSend)) : []
  )

const waitingAfter = (before: Outcome["waiting"], outputs: ReadonlyArray<Output>): Outcome["waiting"] =>
  outputs.reduce<Outcome["waiting"]>((waiting, output) => {
    switch (output._tag) {
      case "SetTimer":
        return { kind: output.timer === "Finalize" ? "finalize" : "notify", ms: output.after }
      case "CancelTimer":
        return null
      default:
        return waiting
    }
  }, before)

const outcome = (
  state: Election.State,
  outputs: ReadonlyArray<Output>,
  waiting: Outcome["waiting"],
  searching: boolean
): Outcome => {
  const elected = outputs.find((output) => output._tag === "Elected")
  const restarted = outputs.some(({ _tag }) => _tag === "Restart")
  const looking = state._tag === "Looking" ? state : undefined
  return {
    sent: outputs.flatMap((output) =>
      output._tag === "Send"
        ? [{
          ...output.toSend,
          version: NotificationCodec.CURRENT_VERSION,
          hex: NotificationCodec.encode(output.toSend)
        }]
        : []
    ),
    proposal: state.proposal,
    clock: state.logicalClock,
    state: Election.serverState(state),
    returned: elected !== undefined ? { vote: elected.vote } : restarted && searching ? { vote: null } : null,
    waiting,
    // The original stores what a search returned, and this one returned nothing. The core keeps the last vote.
    currentVote: restarted && searching ? null : state.currentVote,
    recvset: looking?.recvSet,
    outofelection: looking?.outOfElection,
    connectAll: outputs.filter(({ _tag }) => _tag === "ConnectAll").length,
    queued: state._tag === "Idle" ? state.recvQueue.length : 0,
    restarted,
    receiverDied: null
  }
}
