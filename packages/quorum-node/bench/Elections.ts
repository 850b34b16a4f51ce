/** Elections among real peers over TCP on loopback, all in this process, and how long they take in milliseconds. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TcpEnsemble from "../test/TcpEnsemble.ts"

/** The shortest an election can take: how long a peer with a quorum waits for a better vote. Java: finalizeWait. */
export const FLOOR_MS = 200

/** From before the first of these peers starts until all of them agree; then they end. */
export const coldStart = (voters: TcpEnsemble.Voters, sids: ReadonlyArray<bigint>) =>
  Effect.scoped(Effect.gen(function*() {
    const [elapsed, members] = yield* Effect.timed(
      Effect.tap(startAll(voters, sids), TcpEnsemble.agreement)
    )
    yield* stopAll(members)
    return Duration.toMillis(elapsed)
  }))

/** From before the leader of so many is ended until the rest agree on another; then they end too. */
export const failover = (size: number) =>
  Effect.scoped(Effect.gen(function*() {
    const members = yield* startAll(TcpEnsemble.voters(size), TcpEnsemble.sids(size))
    const [report] = yield* TcpEnsemble.agreement(members)
    const leader = members.find(({ sid }) => sid === report!.vote.leader)!
    const rest = members.filter((member) => member !== leader)
    // Beside the rest, which need not wait until it has ended in good order.
    const [elapsed] = yield* Effect.timed(
      Effect.andThen(Effect.forkScoped(leader.stop, { startImmediately: true }), TcpEnsemble.agreement(rest))
    )
    yield* stopAll(rest)
    return Duration.toMillis(elapsed)
  }))

const startAll = (voters: TcpEnsemble.Voters, sids: ReadonlyArray<bigint>) =>
  Effect.forEach(sids, (sid) => TcpEnsemble.start(voters, sid), { concurrency: "unbounded" })

// All at the same time, or the last would elect while the others are gone already.
const stopAll = (members: ReadonlyArray<TcpEnsemble.Member>) =>
  Effect.forEach(members, ({ stop }) => stop, { concurrency: "unbounded", discard: true })
