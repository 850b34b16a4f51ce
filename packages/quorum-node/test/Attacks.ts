/** What attackers do to an election port, and what the peer that listens there must count for it. */
import * as Random from "../../core/test/support/Random.ts"
import type { Address } from "@conclave/quorum/Transport"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { dial, dialAndSay, drip, type Line, provoke } from "./Attackers.ts"
import { frame, hello, legacyHello } from "./CnxManagerHarness.ts"
import { until } from "./Footprint.ts"
import type { Member } from "./TcpEnsemble.ts"
import { utf8 } from "./TransportHarness.ts"

/** Who is attacked; one of the voters 1 to 3. */
export interface Target extends Member {
  readonly address: Address
  /** Where nobody listens, `host:port`. */
  readonly nowhere: string
}

/** How often each reason is counted. */
export type Tally = Readonly<Record<string, number>>

/** One kind of attack. It is over when the peer has turned away all of it. */
export interface Attack {
  readonly name: string
  readonly tally: Tally
  readonly run: (target: Target) => Effect.Effect<void>
}

/** The same noise in every run. */
const SEED = 20_260

/** So many attackers at a time: fewer than the handshakes that a peer reads at a time, so that each is read. */
const FEW = { concurrency: 8, discard: true } as const

/** How many handshakes a peer reads at a time, written here once more. */
const HANDSHAKES_MAX = 20

/** The bound on unknown servers that are connected, written here once more. */
const STRANGERS_MAX = 20

/** How often unknown servers try, each time with another id. */
const MANY = 1_000

const range = (size: number): ReadonlyArray<number> => Array.from({ length: size }, (_, index) => index)

// -----------------------------------------------------------------------------
// what is turned away, whatever else happens
// -----------------------------------------------------------------------------

const saying = (name: string, reason: string, said: ReadonlyArray<Uint8Array>): Attack => ({
  name,
  tally: { [reason]: said.length },
  run: ({ address }) => Effect.forEach(said, (bytes) => provoke(address, bytes), FEW)
})

const noise = (): Attack => {
  const random = Random.make(SEED)
  const said = range(60).map(() => Uint8Array.from({ length: 12 + random.below(2_000) }, () => random.below(256)))
  // A first number of 0 or more is the whole handshake of a 3.4 server; then comes a frame.
  const legacy = said.filter(([first]) => first! < 0x80).length
  return {
    ...saying("random bytes", "", said),
    tally: { UnknownVersion: said.length - legacy, MalformedFrame: legacy }
  }
}

const ownSid: Attack = {
  name: "our own sid",
  tally: { OwnSid: 50 },
  run: ({ address, sid }) =>
    Effect.forEach(range(50), (n) => provoke(address, n % 2 === 0 ? hello({ sid }) : legacyHello(sid)), FEW)
}

const SIZES = [0, 1, 7, 8, 19, 20, 25]

const halfOpen: Attack = {
  name: "part of a handshake, then silence; and one byte a second",
  tally: { HandshakeTimedOut: SIZES.length + 2 },
  run: ({ address }) =>
    Effect.all([
      ...SIZES.map((size) => provoke(address, hello({ sid: 600n }).subarray(0, size))),
      drip(address, hello({ sid: 601n })),
      drip(address, legacyHello(602n))
    ], { concurrency: "unbounded", discard: true })
}

const cutOff: Attack = {
  name: "part of a handshake, then the end of the connection",
  tally: { ClosedEarly: 2 * SIZES.length },
  run: ({ address }) =>
    Effect.forEach([...SIZES, ...SIZES], (size, index) =>
      Effect.scoped(Effect.gen(function*() {
        const line = yield* dialAndSay(address, hello({ sid: 603n }).subarray(0, size))
        yield* line.connected
        if (index < SIZES.length) line.hangUp()
        else line.reset()
        yield* line.gone
      })), FEW)
}

/** Attacks all of whose connections are turned away and counted. */
export const refused: ReadonlyArray<Attack> = [
  noise(),
  saying("unknown versions", "UnknownVersion", [
    ...[-65_530n, -65_537n, -1n, -(2n ** 63n)].map((version) => hello({ sid: 700n, version })),
    Buffer.from("\xffGET / HTTP/1.1\r\n\r\n", "latin1")
  ]),
  saying(
    "impossible lengths in the handshake",
    "BadLength",
    [0, -1, 2_049, -(2 ** 31), 2 ** 31 - 1].map((length) => hello({ sid: 700n, length }))
  ),
  saying(
    "no address in the handshake",
    "BadAddress",
    ["what's going on here?", "10.0.0.2", "a:1||b:2"].map((text) => hello({ sid: 700n, text }))
  ),
  saying(
    "no port in the handshake",
    "BadPort",
    ["10.0.0.2:x", "10.0.0.2:65536"].map((text) => hello({ sid: 700n, text }))
  ),
  saying(
    "frames of impossible length after a good handshake",
    "MalformedFrame",
    [0, -1, -20, -(2 ** 31), 524_289, 2 ** 31 - 1].map((length, index) =>
      Buffer.concat([hello({ sid: 500n + BigInt(index) }), frame(utf8("."), length)])
    )
  ),
  ownSid,
  halfOpen,
  cutOff
]

// -----------------------------------------------------------------------------
// what unknown servers do
// -----------------------------------------------------------------------------

/** A notification that asks for an answer, and proposes somebody with the best history there can be. */
const notification = (state: number, leader: bigint): Buffer => {
  const bytes = Buffer.alloc(44)
  bytes.writeInt32BE(state)
  bytes.writeBigInt64BE(leader, 4)
  bytes.writeBigInt64BE(2n ** 62n, 12)
  bytes.writeBigInt64BE(2n ** 62n, 28)
  bytes.writeInt32BE(2, 36)
  return bytes
}

const withConfigLength = (length: number): Buffer => {
  const bytes = notification(0, 1n)
  bytes.writeInt32BE(length, 40)
  return bytes
}

/** Frames that hold no notification: too short, cut off, with lengths that cannot be, with states that do not exist. */
const rubbish: Uint8Array = Buffer.concat([
  ...[1, 27, 29, 39, 41, 43].map((length) => new Uint8Array(length).fill(0xa5)),
  ...[-1, 5, 1_000_000].map(withConfigLength),
  ...[-1, 77].map((state) => notification(state, 1n))
].map((payload) => frame(payload)))

// The voters are all that a peer is connected with.
const alone = ({ peer }: Target) =>
  until("strangers gone", peer.connected, (sids) => Array.from(sids).every((sid) => sid >= 1n && sid <= 3n))

const LOOKING = 0
const LEADING = 2

const passingBy: Attack = {
  name: "unknown larger sids by the thousand, that ask, claim to lead, talk rubbish and go",
  tally: {},
  run: Effect.fnUntraced(function*(target) {
    for (let first = 0; first < MANY; first += STRANGERS_MAX) {
      yield* Effect.forEach(range(STRANGERS_MAX), (n) =>
        Effect.scoped(Effect.gen(function*() {
          const sid = BigInt(1_000 + first + n)
          const votes = [LOOKING, LEADING].map((state) => frame(notification(state, sid)))
          const line = yield* dialAndSay(target.address, Buffer.concat([hello({ sid }), ...votes, rubbish]))
          yield* line.answered
          if (n % 2 === 0) line.hangUp()
          else line.reset()
          yield* line.gone
        })), FEW)
      yield* alone(target)
    }
  })
}

const staying: Attack = {
  name: "a thousand unknown larger sids that stay",
  tally: { TooManyStrangers: MANY - STRANGERS_MAX },
  run: (target) =>
    Effect.scoped(Effect.gen(function*() {
      const { address, peer } = target
      const sids = range(MANY).map((n) => BigInt(5_000 + n))
      for (const sid of sids.slice(0, STRANGERS_MAX)) {
        yield* dialAndSay(address, hello({ sid }))
        yield* until(`${sid} connected`, peer.connected, (connected) => connected.has(sid))
      }
      yield* Effect.forEach(sids.slice(STRANGERS_MAX), (sid) => provoke(address, hello({ sid })), FEW)
    })).pipe(Effect.andThen(alone(target)))
}

const ANONYMOUS = 2n ** 63n - 1n

const calledBack: Attack = {
  name: "unknown smaller sids by the thousand, with addresses that refuse",
  tally: {},
  run: ({ address, nowhere }) =>
    Effect.forEach(range(MANY), (n) => {
      const sid = n % 10 === 0 ? ANONYMOUS : BigInt(-10_000 - n)
      return provoke(address, hello({ sid, text: nowhere }))
    }, FEW)
}

/** Attacks of servers that no configuration knows. */
export const strangers: ReadonlyArray<Attack> = [passingBy, staying, calledBack]

/** An unknown server that talks rubbish as fast as it is read, until the connection is gone. */
export const babble = ({ address }: Target, sid: bigint): Effect.Effect<void> =>
  Effect.scoped(Effect.gen(function*() {
    const { gone, say } = yield* dialAndSay(address, hello({ sid }))
    const much = Buffer.concat(range(100).map(() => rubbish))
    const talk = Effect.andThen(Effect.sync(() => say(much)), Effect.sleep("5 millis"))
    yield* Effect.raceFirst(gone, Effect.forever(talk))
  }))

/** Calls as a member, takes what is meant for it, talks rubbish and goes, 20 times a second for ever. */
export const impersonate = ({ address }: Target, sid: bigint): Effect.Effect<never> =>
  Effect.forever(Effect.scoped(Effect.gen(function*() {
    const line = yield* dialAndSay(address, Buffer.concat([hello({ sid }), rubbish]))
    yield* Effect.raceFirst(line.answered, line.gone)
    line.hangUp()
    yield* Effect.sleep("50 millis")
  })))

// -----------------------------------------------------------------------------
// what many do
// -----------------------------------------------------------------------------

/**
 * How many connect at the same moment; with everybody else fewer than the backlog of 50. Beyond it Linux forgets
 * connections that their clients take for open: nobody would hear of them, nor count them.
 */
const WAVE = 20

/** So many connections that say nothing, as fast as they get through; half of them each from a host of its own. */
export const flood = (size: number): Attack => ({
  name: `${size} connections that say nothing`,
  tally: { TooManyHandshakes: size },
  run: ({ address }) =>
    Effect.scoped(Effect.gen(function*() {
      const lines: Array<Line> = []
      const open = Effect.sync(() => lines.filter(({ isGone }) => !isGone()).length)
      while (lines.length < size) {
        const first = lines.length
        lines.push(...yield* burst(address, WAVE, (n) =>
          n % 2 === 0 ? undefined : `127.200.${(first + n) >> 8}.${(first + n) & 255}`))
        // The peer has heard of all when it has turned away all but those that it still reads.
        yield* until("flood heard", open, (count) => count <= HANDSHAKES_MAX)
      }
      yield* until("flood over", open, (count) => count === 0)
    }))
})

/** So many connections all at once, whether they get through or not, until the scope closes. */
export const burst = (
  address: Address,
  size: number,
  from: (index: number) => string | undefined = () => undefined
): Effect.Effect<ReadonlyArray<Line>, never, Scope.Scope> => Effect.forEach(range(size), (n) => dial(address, from(n)))
