/**
 * Reads one direction of an election connection with the codecs, and writes what
 * was read again.
 *
 *     the side that dialled   initial message, QuorumAuthPackets, frames
 *     the side that accepted  QuorumAuthPackets, frames
 *
 * QuorumAuthPackets are there only where SASL is on.
 */
import * as Result from "effect/Result"
import * as Address from "../../src/Address.ts"
import type {
  MalformedAuthPacket,
  MalformedFrame,
  MalformedInitialMessage,
  MalformedNotification
} from "../../src/CodecError.ts"
import * as Frame from "../../src/Frame.ts"
import * as InitialMessage from "../../src/InitialMessage.ts"
import * as NotificationCodec from "../../src/NotificationCodec.ts"
import * as QuorumAuthPacket from "../../src/QuorumAuthPacket.ts"
import type { Sid } from "../../src/Sid.ts"
import * as Zxid from "../../src/Zxid.ts"
import { concat, toHex } from "../support/Bytes.ts"

/** What was read, in the words of the recordings, and the same written again. */
export interface Item {
  readonly kind: "initialMessage" | "authPacket" | "notification" | "incomplete"
  readonly told: string
  readonly bytes: Uint8Array
}

/** Why a direction cannot be read to its end. */
export type Refusal =
  | MalformedAuthPacket
  | MalformedFrame
  | MalformedInitialMessage
  | MalformedNotification
  /** An authentication packet with a status that nobody knows, or a notification that none of us could send. */
  | "NotSendable"

/** Whose words these are. */
export interface Speaker {
  readonly sid: Sid
  /** Only the side that dials begins with an initial message. */
  readonly dials: boolean
  /** The name the recording has for a configuration text. */
  readonly nameOf: (config: string) => string
}

/** Everything that is said in these pieces; what ends before it is complete is the last item. */
export const read = (
  pieces: ReadonlyArray<Uint8Array>,
  speaker: Speaker
): Result.Result<ReadonlyArray<Item>, Refusal> =>
  Result.gen(function*() {
    const notifications: Array<Item> = []
    let prologue: Prologue = { items: [], rest: nothing, over: false }
    let heard = nothing
    let rest = Frame.empty
    for (const piece of pieces) {
      let chunk = piece
      if (!prologue.over) {
        heard = concat(heard, piece)
        prologue = yield* readPrologue(heard, speaker)
        if (!prologue.over) continue
        chunk = prologue.rest
      }
      const decoded = yield* Frame.decode(rest, chunk)
      for (const payload of decoded.payloads) notifications.push(yield* readNotification(payload, speaker))
      rest = decoded.rest
    }
    const left = prologue.over ? Frame.join(rest) : prologue.rest
    return [...prologue.items, ...notifications, ...(left.length === 0 ? [] : [incomplete(left)])]
  })

const nothing: Uint8Array = new Uint8Array(0)

/** What comes before the frames, as far as it has arrived. */
interface Prologue {
  readonly items: ReadonlyArray<Item>
  readonly rest: Uint8Array
  /** Is the rest the beginning of a frame? */
  readonly over: boolean
}

const readPrologue = (heard: Uint8Array, speaker: Speaker): Result.Result<Prologue, Refusal> =>
  Result.gen(function*() {
    const items: Array<Item> = []
    let rest = heard
    if (speaker.dials) {
      const initial = yield* InitialMessage.decode(rest)
      if (initial === null) return { items, rest, over: false }
      items.push(initialMessage(initial.message))
      rest = rest.subarray(initial.size)
    }
    // As a frame length the magic is far too large, so that its first byte already decides.
    while (QuorumAuthPacket.isNext(rest) !== false) {
      const packet = yield* authPacket(rest)
      if (packet === null) return { items, rest, over: false }
      items.push(packet)
      rest = rest.subarray(packet.bytes.length)
    }
    return { items, rest, over: true }
  })

const initialMessage = (message: InitialMessage.InitialMessage): Item => ({
  kind: "initialMessage",
  told: `initial message ${message.protocolVersion} of ${message.sid} at ` +
    message.addresses.map(Address.format).join("|"),
  bytes: InitialMessage.encode({
    sid: message.sid,
    addresses: message.addresses,
    multiAddress: message.protocolVersion === InitialMessage.PROTOCOL_VERSION_V2
  })
})

const statuses = { InProgress: "IN_PROGRESS", Success: "SUCCESS", Error: "ERROR" } as const

/** The packet at the beginning, or `null` while it is not complete. */
const authPacket = (bytes: Uint8Array): Result.Result<Item | null, Refusal> =>
  Result.flatMap(QuorumAuthPacket.decode(bytes), (decoded): Result.Result<Item | null, Refusal> => {
    if (decoded === null) return Result.succeed(null)
    const { packet, size } = decoded
    const again = QuorumAuthPacket.encode(packet)
    if (toHex(again) !== toHex(bytes.subarray(0, size))) return Result.fail("NotSendable")
    const told = `QuorumAuthPacket ${statuses[packet.status]}, ${packet.token?.length} bytes`
    return Result.succeed({ kind: "authPacket", told, bytes: again })
  })

const readNotification = (payload: Uint8Array, { nameOf, sid }: Speaker): Result.Result<Item, Refusal> =>
  Result.gen(function*() {
    const { config, from, state, version, ...vote } = yield* NotificationCodec.decode(sid, payload)
    if (config === null || state === "UNKNOWN") return yield* Result.fail("NotSendable" as const)
    const told = `${state} leader ${vote.leader} zxid ${Zxid.format(vote.zxid)} round ${vote.electionEpoch} ` +
      `peer epoch ${vote.peerEpoch} version ${version} config ${nameOf(config)}`
    // The recipient is not part of the bytes.
    const toSend = { ...vote, to: from, state, config }
    return { kind: "notification", told, bytes: Frame.encode(NotificationCodec.encode(toSend)) }
  })

const incomplete = (bytes: Uint8Array): Item => ({
  kind: "incomplete",
  told: `incomplete, ${bytes.length} bytes`,
  bytes
})
