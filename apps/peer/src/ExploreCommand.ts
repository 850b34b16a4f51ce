/**
 * `conclave explore`: everything that can happen to a few peers within bounds, by the code that is shipped.
 *
 * Exit code 0: nothing was broken, and all was explored or as many states as were allowed. 1: something was, and the
 * last lines say what, by the shortest way there.
 */
import * as ConnectionsClaims from "@conclave/testkit/ConnectionsClaims"
import * as ConnectionsModel from "@conclave/testkit/ConnectionsModel"
import * as ElectionClaims from "@conclave/testkit/ElectionClaims"
import * as ElectionModel from "@conclave/testkit/ElectionModel"
import * as Explorer from "@conclave/testkit/Explorer"
import * as LeadershipClaims from "@conclave/testkit/LeadershipClaims"
import * as LeadershipModel from "@conclave/testkit/LeadershipModel"
import * as Clock from "effect/Clock"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ExploreReport from "./ExploreReport.ts"
import { PropertyBroken, whole } from "./SimulateCommand.ts"
import * as SimulateReport from "./SimulateReport.ts"

/** More than four bits of a bound mean as often as it will. */
const often = (name: string, most: string, otherwise: number) =>
  whole(name, 0, ElectionModel.UNBOUNDED, `How many ${most} at most, ${ElectionModel.UNBOUNDED} for any number`).pipe(
    Flag.withDefault(otherwise)
  )

/** As many as have ever been explored to some depth. */
const PEERS_MAX = 7

const bounds = {
  crashes: often("crashes", "processes are killed", 1),
  losses: often("losses", "messages are lost", 1),
  breaks: often("breaks", "connections break", 0),
  timeouts: often("timeouts", "notification timers fire while something may be on its way", 0),
  looks: often("looks", "leaders are given up", 1),
  epochs: often("epochs", "epochs begin", 0)
}

const statesMax = whole("states-max", 1, 1_000_000_000, "Stop at so many states").pipe(
  Flag.withDefault(Explorer.STATES_MAX)
)

/** What elections and leadership ask for. */
const common = {
  peers: whole("peers", 1, PEERS_MAX, `How many voters, 1 to ${PEERS_MAX}`).pipe(Flag.withDefault(3)),
  statesMax
}

const claim = <Name extends string>(names: ReadonlyArray<Name>) =>
  Flag.Literals("refute", names).pipe(
    Flag.withDescription("Tell the shortest way to the contrary of what looks true; the bounds are its own"),
    Flag.optional
  )

const electionFlags = {
  ...common,
  rounds: whole("rounds", 1, 9, "The last round that begins because a leader is given up").pipe(Flag.withDefault(2)),
  ...bounds,
  capacity: whole("capacity", 1, ElectionModel.UNBOUNDED, "How many messages are on their way between two").pipe(
    Flag.withDefault(1)
  ),
  rules: Flag.Literals("rules", ["conclave", "zookeeper"]).pipe(
    Flag.withDescription("Decide by these rules"),
    Flag.withDefault("conclave" as const)
  ),
  refute: claim(Object.keys(ElectionClaims.claims) as Array<ElectionClaims.ClaimName>)
}

const election = Command.make("election", electionFlags, (flags) => exploreElection(flags)).pipe(
  Command.withDescription("Explore every course that an election can take")
)

/** What a state has room for. */
const LEADERSHIP_MAX = 15

const times = (name: string, what: string, otherwise: number) =>
  whole(name, 0, LEADERSHIP_MAX, `How often ${what} at most`).pipe(Flag.withDefault(otherwise))

const leadershipBounds = {
  terms: times("terms", "somebody takes itself for the leader", 2),
  dials: times("dials", "somebody begins to follow", 3),
  crashes: times("crashes", "a process is killed", 1),
  losses: times("losses", "a link breaks", 1),
  ticks: times("ticks", "a leader pings in the middle of or after a tick", 0),
  resignations: times("resignations", "a leader leaves on purpose", 0),
  failures: times("failures", "an epoch cannot be made durable", 0)
}

const leadershipFlags = {
  ...common,
  leased: Flag.Boolean("leased").pipe(
    Flag.withDescription("Under leases, by clocks that are as wrong as they may be"),
    Flag.withDefault(false)
  ),
  ...leadershipBounds,
  refute: claim(Object.keys(LeadershipClaims.claims) as Array<LeadershipClaims.ClaimName>)
}

const leadership = Command.make("leadership", leadershipFlags, (flags) => exploreLeadership(flags)).pipe(
  Command.withDescription("Explore all that leaders and their followers can come to, whatever an election says")
)

const connectionBounds = {
  breaks: times("breaks", "a connection breaks", 1),
  crashes: times("crashes", "a process is killed", 1),
  outages: times("outages", "a host is gone with its process", 0),
  failures: times("failures", "a dial gets no answer though somebody listens", 0),
  requests: times("requests", "somebody has something to say", 0),
  changes: times("changes", "somebody changes with whom it wants to be connected", 0),
  strangers: times("strangers", "a stranger calls, by any id", 0),
  probes: times("probes", "an address does not answer any more", 0)
}

const connectionFlags = {
  peers: whole("peers", 2, 4, "How many voters, 2 to 4").pipe(Flag.withDefault(2)),
  ...connectionBounds,
  capacity: whole("capacity", 2, 5, "How many connections of two there are at once").pipe(
    Flag.withDefault(ConnectionsModel.CAPACITY)
  ),
  patient: Flag.Boolean("patient").pipe(
    Flag.withDescription("Who is to ask again waits until the network has nothing left to do"),
    Flag.withDefault(false)
  ),
  rules: Flag.Literals("rules", ["conclave", "zookeeper", "mixed"]).pipe(
    Flag.withDescription("Decide by these rules; mixed: those with an even id by the original's"),
    Flag.withDefault("conclave" as const)
  ),
  statesMax,
  refute: claim(Object.keys(ConnectionsClaims.claims) as Array<ConnectionsClaims.ClaimName>)
}

const connections = Command.make("connections", connectionFlags, (flags) => exploreConnections(flags)).pipe(
  Command.withDescription("Explore all that the connections of a few peers can come to")
)

/** The command, with one below it for each thing that can be explored. */
export const command = Command.make("explore").pipe(
  Command.withDescription("Explore everything that can happen to a few peers within bounds"),
  Command.withSubcommands([election, connections, leadership])
)

type ElectionFlags = Command.Command.Config.Infer<typeof electionFlags>

const exploreElection = Effect.fnUntraced(function*(flags: ElectionFlags) {
  const { capacity, peers, refute, rounds, rules, statesMax } = flags
  if (Option.isSome(refute)) return yield* tellClaim(refute.value)
  const limits = Object.keys(bounds) as Array<keyof typeof bounds>
  const model = ElectionModel.make({
    peers: Array.from({ length: peers }, (_, index) => ({ sid: index + 1 })),
    rules,
    bounds: { rounds, capacity, ...Object.fromEntries(limits.map((limit) => [limit, flags[limit]])) }
  })
  const allowed = limits.map((limit) => `${limit} ${ExploreReport.many(flags[limit])}`)
  yield* Console.log(`${peers} voters, ${rounds} rounds, ${allowed.join(", ")}; rules ${rules}`)
  const outcome = yield* explore(model, statesMax)
  yield* Console.log(ExploreReport.counts(model.counts()))
  return yield* conclude(outcome, outcome.violation?.property ?? "", "the same command")
})

const tellClaim = Effect.fnUntraced(function*(name: ElectionClaims.ClaimName) {
  const claim: ElectionClaims.Claim = ElectionClaims.claims[name]
  yield* Console.log(`it looks true: ${claim.says}`)
  const model = ElectionModel.make(ElectionClaims.optionsOf(claim))
  const outcome = yield* explore(model, Explorer.STATES_MAX)
  return yield* conclude(outcome, claim.says, `conclave explore election --refute ${name}`)
})

type ConnectionFlags = Command.Command.Config.Infer<typeof connectionFlags>

const exploreConnections = Effect.fnUntraced(function*(flags: ConnectionFlags) {
  const { capacity, patient, peers, refute, rules, statesMax, ...bounds } = flags
  if (Option.isSome(refute)) {
    const claim: ConnectionsClaims.FalseClaim = ConnectionsClaims.claims[refute.value]
    yield* Console.log(`it looks true: ${claim.says}`)
    const outcome = yield* explore(ConnectionsModel.make(ConnectionsClaims.optionsOf(claim)), statesMax)
    return yield* conclude(outcome, claim.says, `conclave explore connections --refute ${refute.value}`)
  }
  const allowed = Object.entries(bounds).map(([bound, most]) => `${bound} ${most}`)
  const timers = patient ? "Patient" : "Any"
  yield* Console.log(`${peers} voters, ${allowed.join(", ")}; rules ${rules}, timers ${timers.toLowerCase()}`)
  const model = ConnectionsModel.make({ peers: ConnectionsModel.voters(peers, rules), bounds, capacity, timers })
  const outcome = yield* explore(model, statesMax)
  yield* Console.log(ExploreReport.connectionCounts(model.counts()))
  const property = ConnectionsModel.explain(outcome.violation?.property ?? "")
  return yield* conclude(outcome, property, "the same command")
})

type LeadershipFlags = Command.Command.Config.Infer<typeof leadershipFlags>

const exploreLeadership = Effect.fnUntraced(function*(flags: LeadershipFlags) {
  const { leased, peers, refute, statesMax, ...bounds } = flags
  if (Option.isSome(refute)) {
    const claim: LeadershipClaims.FalseClaim = LeadershipClaims.claims[refute.value]
    yield* Console.log(`it looks true: ${claim.says}`)
    const repeat = `conclave explore leadership --refute ${refute.value}`
    return yield* conclude(yield* exploreNamed(LeadershipClaims.optionsOf(claim), statesMax), claim.says, repeat)
  }
  const allowed = Object.entries(bounds).map(([bound, most]) => `${bound} ${most}`)
  yield* Console.log(`${peers} voters, ${leased ? "leased" : "fenced"}, ${allowed.join(", ")}`)
  const lease = leased ? LeadershipModel.defaultLease : null
  const outcome = yield* exploreNamed({ peers: LeadershipModel.alike(peers), lease, bounds }, statesMax)
  const property = LeadershipModel.explain(outcome.violation?.property ?? "")
  return yield* conclude(outcome, property, "the same command")
})

// Peers that are alike change places; in a way that is told they keep their names, so it is looked for once more.
const exploreNamed = Effect.fnUntraced(function*(options: LeadershipModel.Options, statesMax: number) {
  const outcome = yield* explore(LeadershipModel.make(options), statesMax)
  if (outcome.violation === null) return outcome
  return yield* explore(LeadershipModel.make({ ...options, folded: false }), statesMax)
})

/** Nothing else runs while states are explored; every so often signals are heard. In milliseconds and states. */
const BATCH_MILLIS = 50
const BATCH_STATES = 1_000

const explore = Effect.fnUntraced(function*(model: Explorer.Model, statesMax: number) {
  let progress = ""
  const exploration = Explorer.begin(model, {
    statesMax,
    progress: (depth, states) => void (progress = `depth ${depth}, ${states} states`)
  })
  const run = Effect.gen(function*() {
    let more = true
    while (more) {
      const until = (yield* Clock.currentTimeMillis) + BATCH_MILLIS
      while (more && (yield* Clock.currentTimeMillis) < until) more = exploration.next(BATCH_STATES)
      yield* ExploreReport.progress(progress)
      yield* Effect.sleep(0)
    }
  }).pipe(Effect.ensuring(SimulateReport.progressDone))
  const [elapsed] = yield* Effect.timed(run)
  const outcome = exploration.outcome()
  for (const line of ExploreReport.summary(outcome, elapsed)) yield* Console.log(line)
  return outcome
})

const conclude = Effect.fnUntraced(function*({ violation }: Explorer.Outcome, property: string, repeat: string) {
  if (violation === null) return
  yield* SimulateReport.print(ExploreReport.story(violation))
  return yield* new PropertyBroken({ property, repeat })
})
