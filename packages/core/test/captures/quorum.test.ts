import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as DynamicConfig from "../../src/DynamicConfig.ts"
import * as Ensemble from "../../src/Ensemble.ts"
import * as Leader from "../../src/Leader.ts"
import * as Learner from "../../src/Learner.ts"
import * as LearnerInfo from "../../src/LearnerInfo.ts"
import * as QuorumPacket from "../../src/QuorumPacket.ts"
import * as QuorumVerifier from "../../src/QuorumVerifier.ts"
import * as Zxid from "../../src/Zxid.ts"
import { concat, toHex } from "../support/Bytes.ts"
import { ticks } from "../support/Zab.ts"
import * as Recording from "./Recording.ts"

const recordings = [["quorum-data", 4], ["quorum-empty", 2], ["quorum-trunc", 4]] as const

const conversations = (name: string) =>
  Recording.load(name, "recorded-quorum").connections.filter(({ opener }) => opener !== null)

const bytesOf = ({ segments }: Recording.Message): Uint8Array => concat(...segments)

const isSnapshot = ({ told }: Recording.Message): boolean => told.startsWith("snapshot")

/** Reads one direction: what follows SNAP and is no packet is cut off by the length that the recorder knew. */
const read = (messages: ReadonlyArray<Recording.Message>, pieces: (bytes: Uint8Array) => ReadonlyArray<Uint8Array>) => {
  const at = messages.findIndex(isSnapshot)
  const parts = at < 0 ? [messages] : [messages.slice(0, at), messages.slice(at + 1)]
  return parts.flatMap((part) => {
    const packets: Array<QuorumPacket.QuorumPacket> = []
    let rest = QuorumPacket.empty
    for (const piece of pieces(concat(...part.map(bytesOf)))) {
      const decoded = Result.getOrThrow(QuorumPacket.decode(rest, piece))
      packets.push(...decoded.packets)
      rest = decoded.rest
    }
    assert.strictEqual(QuorumPacket.join(rest).length, 0)
    return packets
  })
}

const whole = (bytes: Uint8Array) => [bytes]
const byteByByte = (bytes: Uint8Array) => Array.from(bytes, (byte) => Uint8Array.of(byte))

const told = ({ type, zxid }: QuorumPacket.QuorumPacket): string => `${type} ${Zxid.format(zxid)}`

/** The members in whose place ours speaks. Who follows a real server must not vote, though it says that it would. */
const membershipOf = (name: string, mySid: bigint, role: "leader" | "learner") => {
  const { configured } = Recording.load(name, "recorded-quorum")
  const options = { multiAddress: false, standaloneEnabled: true }
  const committed = Result.getOrThrow(DynamicConfig.parse(configured, options))
  if (role === "leader" || !committed.voters.has(mySid)) return Ensemble.membership({ mySid, committed })
  const servers = Array.from(committed.servers.values()).filter(({ sid }) => sid !== mySid)
  return Ensemble.membership({ mySid, committed: QuorumVerifier.majority({ servers }), learnerType: "participant" })
}

/** What a learner of ours says to what the real leader said, as if every write took no time. */
const replayLearner = (name: string, { accepted, acceptor, opened, opener }: Recording.Connection) => {
  const [info, ackEpoch] = read(opened, whole)
  const options: Learner.Options = {
    mySid: opener!,
    leader: acceptor,
    membership: membershipOf(name, opener!, "learner"),
    ticks,
    lease: null
  }
  // Its past is what the real one told of its own.
  let state = Learner.make({
    acceptedEpoch: Zxid.epochOf(info!.zxid),
    currentEpoch: LearnerInfo.decodeEpoch(ackEpoch!.data)!,
    lastLoggedZxid: ackEpoch!.zxid
  }, null)
  const said: Array<QuorumPacket.QuorumPacket> = []
  const other: Array<string> = []
  const happens = (event: Learner.Event): void => {
    const [next, outputs] = Learner.step(options, state, event)
    state = next
    for (const output of outputs) {
      if (output._tag === "Send") said.push(output.packet)
      else if (output._tag === "StoreAcceptedEpoch") happens({ _tag: "AcceptedEpochStored" })
      else if (output._tag === "StoreCurrentEpoch") happens({ _tag: "CurrentEpochStored", at: 0 })
      else if (output._tag === "Left") other.push(output.reason)
      else if (output._tag === "Following") other.push(output._tag)
    }
  }
  happens({ _tag: "Connected" })
  for (const packet of read(accepted, whole)) happens({ _tag: "Received", packet, at: 0, lastLoggedZxid: 0n })
  return { said, other }
}

/** What a leader of ours says to what the real learner said, as if every write took no time. */
const replayLeader = (name: string, connection: Recording.Connection) => {
  const { accepted, acceptor, opened } = connection
  const [leaderInfo] = read(accepted, whole)
  const options: Leader.Options = {
    mySid: acceptor,
    membership: membershipOf(name, acceptor, "leader"),
    ticks,
    lease: null,
    acceptForeign: true
  }
  const epoch = Zxid.epochOf(leaderInfo!.zxid)
  const history = { acceptedEpoch: epoch - 1n, currentEpoch: epoch, lastLoggedZxid: Zxid.make(epoch, 0n) }
  let state = Leader.make(options, history, null)
  const said: Array<QuorumPacket.QuorumPacket> = []
  const closed: Array<string> = []
  const happens = (event: Leader.Event): void => {
    const [next, outputs] = Leader.step(options, state, event)
    state = next
    for (const output of outputs) {
      if (output._tag === "Send" && output.learner === 1) said.push(output.packet)
      else if (output._tag === "StoreAcceptedEpoch") happens({ _tag: "AcceptedEpochStored" })
      else if (output._tag === "StoreCurrentEpoch") happens({ _tag: "CurrentEpochStored", at: 0, pledgeAt: 0 })
      else if (output._tag === "Close" || output._tag === "SteppedDown") closed.push(output.reason)
    }
  }
  const hears = (learner: number, packet: QuorumPacket.QuorumPacket) =>
    happens({ _tag: "Received", learner, packet, at: 0 })
  happens({ _tag: "Started" })
  // Another follower makes the quorum, as in the recordings.
  const others = Array.from(options.membership.voters).filter((sid) => sid !== acceptor && sid !== connection.opener)
  const ours = LearnerInfo.encode({ sid: others[0]!, protocolVersion: 0x10000, configVersion: 0n, ours: null })
  happens({ _tag: "Connected", learner: 2 })
  hears(2, QuorumPacket.make("FOLLOWERINFO", 0n, ours))
  hears(2, QuorumPacket.make("ACKEPOCH", 0n, LearnerInfo.encodeEpoch(0n)))
  hears(2, QuorumPacket.make("ACK", Zxid.make(epoch, 0n)))
  happens({ _tag: "Connected", learner: 1 })
  for (const packet of read(opened, whole)) {
    if (packet.type === "PING") happens({ _tag: "HalfTick", at: 0 })
    hears(1, packet)
  }
  return { said, closed }
}

/** Without what has to do with data. */
const leadership = (packets: ReadonlyArray<QuorumPacket.QuorumPacket>) =>
  packets.filter(({ type, zxid }) => type !== "ACK" || Zxid.counterOf(zxid) === 0n).map(told)

describe("captures of the quorum port of ZooKeeper 3.8.0", () => {
  it("are all in the table", () => {
    assert.deepStrictEqual(Recording.names("recorded-quorum"), recordings.map(([name]) => name))
    assert.deepStrictEqual(recordings.map(([name]) => conversations(name).length), recordings.map(([, count]) => count))
  })

  describe.each([["whole", whole], ["byte by byte", byteByByte]] as const)("fed %s", (_, pieces) => {
    it.each(recordings)("%s is read completely and written again to the same bytes", (name) => {
      for (const { accepted, opened } of conversations(name)) {
        for (const messages of [opened, accepted]) {
          const recorded = messages.filter((message) => !isSnapshot(message))
          const packets = read(messages, pieces)
          assert.deepStrictEqual(packets.map(told), recorded.map(({ told }) => told))
          assert.deepStrictEqual(
            packets.map((packet) => toHex(QuorumPacket.encode(packet))),
            recorded.map((message) => toHex(bytesOf(message)))
          )
        }
      }
    })
  })

  it.each(recordings)("%s: a learner of ours says what the real one said", (name) => {
    for (const connection of conversations(name)) {
      const real = read(connection.opened, whole)
      const { other, said } = replayLearner(name, connection)
      if (connection.accepted.some(({ told }) => told.startsWith("TRUNC"))) {
        // It has no data to cut.
        assert.deepStrictEqual(other, ["CannotTruncate"])
        assert.deepStrictEqual(said.map(told), real.map(told).slice(0, 2))
        continue
      }
      assert.deepStrictEqual(other, ["Following"])
      // The recording ends before the real one's last answers.
      const pings = read(connection.accepted, whole).filter(({ type }) => type === "PING")
      const unheard = said.splice(leadership(real).length)
      assert.deepStrictEqual(leadership(said), leadership(real))
      assert.deepStrictEqual(unheard.map(told), pings.slice(pings.length - unheard.length).map(told))
      // It tells no less of itself, and one mark more.
      assert.strictEqual(toHex(said[0]!.data!).slice(0, 40), toHex(real[0]!.data!))
      assert.strictEqual(toHex(said[1]!.data!), toHex(real[1]!.data!))
    }
  })

  it.each(recordings)("%s: a leader of ours says what the real one said", (name) => {
    for (const connection of conversations(name)) {
      const real = read(connection.accepted, whole)
      const { closed, said } = replayLeader(name, connection)
      assert.deepStrictEqual(closed, [])
      const [info, sync, newLeader, upToDate, ...pings] = said
      const [realInfo] = real
      assert.strictEqual(told(info!), told(realInfo!))
      assert.strictEqual(toHex(info!.data!).slice(0, 8), toHex(realInfo!.data!))
      // All it ever has to send is an empty history.
      assert.strictEqual(sync!.type, "DIFF")
      for (const [ours, type] of [[newLeader, "NEWLEADER"], [upToDate, "UPTODATE"]] as const) {
        const original = real.find((packet) => packet.type === type)
        assert.strictEqual(toHex(QuorumPacket.encode(ours!)), toHex(QuorumPacket.encode(original!)))
      }
      assert.isNotEmpty(pings)
      assert.deepStrictEqual(new Set(pings.map(({ data, type }) => `${type} ${data}`)), new Set(["PING null"]))
    }
  })
})
