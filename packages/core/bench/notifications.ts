/**
 * How many notifications a peer that looks can cut out of the stream, decode and decide on in a second. Beside it, in
 * turns, how often the same message goes through `JSON.stringify` and `JSON.parse`: the cheapest thing that most
 * services do with every message.
 */
import * as Result from "effect/Result"
import * as Election from "../src/Election.ts"
import * as Ensemble from "../src/Ensemble.ts"
import * as Frame from "../src/Frame.ts"
import * as NotificationCodec from "../src/NotificationCodec.ts"
import * as QuorumServer from "../src/QuorumServer.ts"
import * as QuorumVerifier from "../src/QuorumVerifier.ts"

/** What was measured with one size of ensemble: rates per second, one for each round. */
export interface Rates {
  readonly voters: number
  /** Of one notification, with its length before it. */
  readonly bytes: number
  readonly decided: ReadonlyArray<number>
  readonly json: ReadonlyArray<number>
}

const ROUNDS = 20

const ROUND_MS = 50

/** So many between two looks at the clock. */
const BATCH = 200

interface Sender {
  readonly sid: bigint
  readonly frame: Uint8Array
}

/** Measures with so many voters, 2 or more. */
export const measure = (voters: number): Rates => {
  const { ensemble, senders, state } = prepare(voters)
  let looking = state
  let turn = 0
  const decide = () => {
    const { frame, sid } = senders[turn++ % senders.length]!
    const { payloads } = Result.getOrThrow(Frame.decode(Frame.empty, frame))
    const notification = Result.getOrThrow(NotificationCodec.decode(sid, payloads[0]!))
    looking = Election.step(ensemble, looking, { _tag: "Received", notification })[0]
  }
  const message = plain(senders[0]!)
  const json = () => JSON.parse(JSON.stringify(message))
  // The first round of each lets the compiler see the code, and does not count.
  rate(decide)
  rate(json)
  const rounds = Array.from({ length: ROUNDS }, () => ({ decided: rate(decide), json: rate(json) }))
  // Had they elected, most would have been answered and not counted as votes.
  if (looking._tag !== "Looking" || looking.recvSet.size !== voters) throw new Error(`it is ${looking._tag}`)
  return {
    voters,
    bytes: senders[0]!.frame.length,
    decided: rounds.map(({ decided }) => decided),
    json: rounds.map(({ json }) => json)
  }
}

// We have the highest id and the others vote each for itself: every vote is recorded and counted, none decides.
const prepare = (voters: number) => {
  const servers = Array.from({ length: voters }, (_, index) =>
    QuorumServer.make(BigInt(index + 1), { host: `10.0.0.${index + 1}`, quorumPort: 2888, electionPort: 3888 }))
  const committed = QuorumVerifier.majority({ servers })
  const mySid = BigInt(voters)
  const ensemble = Ensemble.make({ mySid })
  const history = { lastLoggedZxid: 0x100000007n, currentEpoch: 1n }
  const idle = Election.make(ensemble, Ensemble.membership({ mySid, committed }), history)
  const [looking, outputs] = Election.step(ensemble, idle, { _tag: "LookForLeader", ...history })
  const own = outputs.find((output) => output._tag === "Send")
  if (own === undefined) throw new Error("nothing was sent")
  const senders = servers.map(({ sid }): Sender => ({
    sid,
    frame: Frame.encode(NotificationCodec.encode({ ...own.toSend, leader: sid }))
  }))
  return { ensemble, senders, state: looking }
}

// JSON has no 64-bit numbers: they are text here, and stay text.
const plain = ({ frame, sid }: Sender): object => {
  const { payloads } = Result.getOrThrow(Frame.decode(Frame.empty, frame))
  const notification = Result.getOrThrow(NotificationCodec.decode(sid, payloads[0]!))
  return Object.fromEntries(
    Object.entries(notification).map(([key, value]) => [key, typeof value === "bigint" ? `${value}` : value])
  )
}

const rate = (work: () => void): number => {
  const start = performance.now()
  const end = start + ROUND_MS
  let count = 0
  while (performance.now() < end) {
    for (let once = 0; once < BATCH; once++) work()
    count += BATCH
  }
  return count * 1000 / (performance.now() - start)
}
