/**
 * Packets, and the queues of them that are under way, by numbers.
 */
import * as LearnerInfo from "@conclave/core/LearnerInfo"
import type { QuorumPacket } from "@conclave/core/QuorumPacket"
import type { Sid } from "@conclave/core/Sid"
import * as Interner from "../Interner.ts"

/** The numbering; queue 0 is empty. */
export interface Packets {
  readonly id: (packet: QuorumPacket) => number
  readonly get: (id: number) => QuorumPacket
  /** The packets of a queue, the oldest first. */
  readonly queue: (queue: number) => ReadonlyArray<number>
  readonly push: (queue: number, packet: number) => number
  /** What is left without the oldest. */
  readonly shift: (queue: number) => number
  /** The same queue among peers who have changed places. */
  readonly rename: (queue: number, naming: Naming) => number
}

/** Who has which place, and which id, after peers have changed places. */
export interface Naming {
  /** For a table of what was renamed before. */
  readonly id: number
  readonly place: (index: number) => number
  readonly sid: (sid: Sid) => Sid
}

/** How many queues a state has room for. */
export const QUEUES = 4096

/** Nothing is numbered yet. */
export const make = (): Packets => {
  const packets = Interner.make<QuorumPacket>(({ data, type, zxid }) => `${type} ${zxid} ${data?.join() ?? "-"}`)
  const queues = Interner.make<ReadonlyArray<number>>((queue) => queue.join())
  queues.id([])
  const pushed: Array<Array<number>> = []
  const shifted: Array<number> = [0]
  const renamed: Array<Array<number>> = []
  const numbered = (queue: ReadonlyArray<number>): number => {
    const id = queues.id(queue)
    if (id >= QUEUES) throw new RangeError(`more than ${QUEUES} queues of packets: the bounds are too large`)
    return id
  }
  return {
    id: packets.id,
    get: packets.get,
    queue: queues.get,
    push: (queue, packet) => (pushed[queue] ??= [])[packet] ??= numbered([...queues.get(queue), packet]),
    shift: (queue) => shifted[queue] ??= numbered(queues.get(queue).slice(1)),
    rename: (queue, naming) =>
      (renamed[naming.id] ??= [])[queue] ??= numbered(queues.get(queue).map((packet) =>
        packets.id(rename(packets.get(packet), naming))))
  }
}

/** The designated server of a COMMITANDACTIVATE of ours, or -1; it is a number of eight bytes. */
const designated = (data: Uint8Array): DataView => new DataView(data.buffer, data.byteOffset, data.byteLength)

const rename = (packet: QuorumPacket, { sid }: Naming): QuorumPacket => {
  const { data, type } = packet
  if (data === null) return packet
  if (type === "FOLLOWERINFO" || type === "OBSERVERINFO") {
    const info = LearnerInfo.decode(data)
    return info === null ? packet : { ...packet, data: LearnerInfo.encode({ ...info, sid: sid(info.sid) }) }
  }
  if (type !== "COMMITANDACTIVATE") return packet
  const named = data.slice()
  designated(named).setBigInt64(0, sid(designated(data).getBigInt64(0)))
  return { ...packet, data: named }
}
