/**
 * What leader and learners say to each other at the quorum port, one after another
 * without a length in front.
 *
 *     i32  type
 *     i64  zxid
 *     i32  n, n bytes        data, -1 for none
 *     i32  k, k times        who asks, -1 for none: ustring scheme, buffer id
 *
 * Java: `QuorumPacket`, `Leader` (its constants).
 */
import * as Result from "effect/Result"
import { MalformedPacket } from "./CodecError.ts"
import { viewOf } from "./internal/bytes.ts"
import * as Pieces from "./internal/pieces.ts"
import type { Zxid } from "./Zxid.ts"

/** The codes of the types by name. */
const codes = {
  REQUEST: 1,
  PROPOSAL: 2,
  ACK: 3,
  COMMIT: 4,
  PING: 5,
  REVALIDATE: 6,
  SYNC: 7,
  INFORM: 8,
  COMMITANDACTIVATE: 9,
  NEWLEADER: 10,
  FOLLOWERINFO: 11,
  UPTODATE: 12,
  DIFF: 13,
  TRUNC: 14,
  SNAP: 15,
  OBSERVERINFO: 16,
  LEADERINFO: 17,
  ACKEPOCH: 18,
  INFORMANDACTIVATE: 19
} as const

/** What a packet is for. */
export type PacketType = keyof typeof codes

/** A packet. Who asks is read over: nobody here serves clients. */
export interface QuorumPacket {
  /** `UNKNOWN` for a code nobody knows, which ZooKeeper passes over too. */
  readonly type: PacketType | "UNKNOWN"
  readonly zxid: Zxid
  readonly data: Uint8Array | null
}

/**
 * The most bytes of data, or of an id or scheme. Java: jute.maxbuffer, 1,048,575, and as much again as its extra size.
 */
export const DATA_MAX = 2 * 1_048_575

/** The most entries of who asks, all together no longer than data may be. Ours: a client has a handful. */
export const AUTHINFO_MAX = 64

const HEADER_SIZE = 16

/** A packet without data, or with. */
export const make = (type: PacketType, zxid: Zxid, data: Uint8Array | null = null): QuorumPacket => ({
  type,
  zxid,
  data
})

/** The bytes of a packet. */
export const encode = ({ data, type, zxid }: QuorumPacket): Uint8Array => {
  const bytes = new Uint8Array(HEADER_SIZE + (data?.length ?? 0) + 4)
  const view = viewOf(bytes)
  view.setInt32(0, type === "UNKNOWN" ? 0 : codes[type])
  view.setBigInt64(4, zxid)
  view.setInt32(12, data?.length ?? -1)
  if (data !== null) bytes.set(data, HEADER_SIZE)
  view.setInt32(bytes.length - 4, -1)
  return bytes
}

/** What has arrived of a packet that is not complete yet. */
export interface Rest {
  readonly pieces: Pieces.Pieces
  /** No use in looking before so many bytes have arrived. */
  readonly needed: number
}

/** Nothing has arrived. */
export const empty: Rest = { pieces: Pieces.empty, needed: HEADER_SIZE + 4 }

/** The packets that a piece of the stream completes. */
export interface Decoded {
  readonly packets: ReadonlyArray<QuorumPacket>
  readonly rest: Rest
}

/**
 * Takes the next piece of the stream, and gives the packets it completes and what is left over. After a SNAP comes a
 * snapshot, which is no packet: so nothing after one is read, `join` has it. Data within the piece is a view of it,
 * not a copy. Fails at the first length that cannot be; what follows can then not be told apart.
 */
export const decode = (rest: Rest, chunk: Uint8Array): Result.Result<Decoded, MalformedPacket> => {
  const pieces = Pieces.append(rest.pieces, chunk)
  if (pieces.size < rest.needed) return Result.succeed({ packets: [], rest: { pieces, needed: rest.needed } })
  const bytes = Pieces.join(pieces)
  const packets: Array<QuorumPacket> = []
  let offset = 0
  let needed = empty.needed
  while (packets.at(-1)?.type !== "SNAP") {
    const left = bytes.subarray(offset)
    const size = sizeOf(left)
    if (Result.isFailure(size)) return Result.fail(size.failure)
    if (size.success > left.length) {
      needed = size.success
      break
    }
    packets.push(read(left))
    offset += size.success
  }
  return Result.succeed({ packets, rest: { pieces: Pieces.append(Pieces.empty, bytes.subarray(offset)), needed } })
}

/** What has arrived, in one piece. */
export const join = ({ pieces }: Rest): Uint8Array => Pieces.join(pieces)

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const names = new Map<number, PacketType>(
  Object.entries(codes).map(([name, code]) => [code, name as PacketType])
)

const read = (bytes: Uint8Array): QuorumPacket => {
  const view = viewOf(bytes)
  const length = view.getInt32(12)
  return {
    type: names.get(view.getInt32(0)) ?? "UNKNOWN",
    zxid: view.getBigInt64(4),
    data: length === -1 ? null : bytes.subarray(HEADER_SIZE, HEADER_SIZE + length)
  }
}

// How many bytes the packet has, or at least has as far as can be told: then more than there are.
const sizeOf = (bytes: Uint8Array): Result.Result<number, MalformedPacket> => {
  const view = viewOf(bytes)
  if (bytes.length < HEADER_SIZE + 4) return Result.succeed(HEADER_SIZE + 4)
  const length = view.getInt32(12)
  if (length < -1 || length > DATA_MAX) return malformed("BadLength", length)
  let size = HEADER_SIZE + Math.max(length, 0) + 4
  if (bytes.length < size) return Result.succeed(size)
  const count = view.getInt32(size - 4)
  if (count < -1 || count > AUTHINFO_MAX) return malformed("BadCount", count)
  const end = size + DATA_MAX
  for (let field = 0; field < 2 * count; field++) {
    if (bytes.length < size + 4) return Result.succeed(size + 4)
    const length = view.getInt32(size)
    size += 4 + Math.max(length, 0)
    if (length < -1 || size > end) return malformed("BadLength", length)
  }
  return Result.succeed(size)
}

const malformed = (reason: MalformedPacket["reason"], value: number) =>
  Result.fail(new MalformedPacket({ reason, detail: `${value}` }))
