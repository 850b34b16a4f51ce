/**
 * `conclave simulate`: many ensembles under a virtual clock, with faults, one seed after the other.
 *
 * Exit code 0: nothing was broken. 1: something was, and the last lines say what, by which seed and how to repeat it.
 */
import * as Trace from "@conclave/core/Trace"
import { TraceFileError } from "@conclave/quorum/TraceFile"
import * as Campaign from "@conclave/testkit/Campaign"
import * as Profile from "@conclave/testkit/Profile"
import type { Scenario } from "@conclave/testkit/Scenario"
import * as ScenarioJson from "@conclave/testkit/ScenarioJson"
import * as Simulator from "@conclave/testkit/Simulator"
import * as Story from "@conclave/testkit/Story"
import * as Clock from "effect/Clock"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SimulateReport from "./SimulateReport.ts"

/** Something was broken, and it has been told what. */
export class PropertyBroken extends Schema.TaggedError<PropertyBroken>()("PropertyBroken", {
  property: Schema.String,
  repeat: Schema.String
}) {
  override get message(): string {
    return `broken: ${Simulator.explain(this.property)}; to repeat it: ${this.repeat}`
  }
}

/** A file that holds no scenario. */
export class InvalidScenario extends Schema.TaggedError<InvalidScenario>()("InvalidScenario", {
  file: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.file} holds no scenario: ${this.problem}`
  }
}

/** The largest seed that a number holds exactly, with room for the seeds after it. */
const SEED_MAX = 2 ** 52

/** The largest ensemble, as in `conclave ensemble`. */
const PEERS_MAX = 31

const profileNames = Object.keys(Profile.profiles) as Array<Profile.ProfileName>

/** A flag for a whole number within limits. */
export const whole = (name: string, least: number, most: number, description: string) =>
  Flag.Int(name).pipe(
    Flag.withDescription(description),
    Flag.filter((value) => value >= least && value <= most, (value) => `${value} is not within ${least} to ${most}`)
  )

const flags = {
  seed: whole("seed", 0, SEED_MAX, "The first seed; drawn and printed unless given").pipe(Flag.optional),
  peers: whole("peers", 1, PEERS_MAX, `How many voters, 1 to ${PEERS_MAX}`).pipe(Flag.withDefault(5)),
  profile: Flag.Literals("profile", profileNames).pipe(
    Flag.withDescription("The kind of trouble"),
    Flag.withDefault("chaos" as const)
  ),
  runs: whole("runs", 1, 1_000_000_000, "How many seeds").pipe(Flag.withDefault(10_000)),
  events: Flag.Boolean("events").pipe(
    Flag.withDescription("Print every event of the first seed, and no more"),
    Flag.withDefault(false)
  ),
  trace: Flag.String("trace").pipe(
    Flag.withDescription("Write every decision of the first seed, with its reason, to this file, in place of what is " +
      "in it, and no more; conclave explain reads it"),
    Flag.withMetavar("FILE"),
    Flag.optional
  ),
  scenario: Flag.String("scenario").pipe(
    Flag.withDescription("Print every event of the scenario in this file, instead of drawing any"),
    Flag.withMetavar("FILE"),
    Flag.optional
  )
}

/** The command. */
export const command = Command.make("simulate", flags, (flags) => simulate(flags)).pipe(
  Command.withDescription("Run ensembles under a virtual clock, with faults, and check that what must hold holds")
)

const simulate = Effect.fnUntraced(function*(given: Command.Command.Config.Infer<typeof flags>) {
  const { events, peers, profile, runs, trace } = given
  if (Option.isSome(given.scenario)) return yield* runOne(yield* read(given.scenario.value), { events: true, trace })
  const seed = yield* Option.match(given.seed, {
    onNone: () => Random.nextIntBetween(0, 2 ** 31),
    onSome: Effect.succeed
  })
  if (events || Option.isSome(trace)) return yield* runOne(Profile.draw(profile, peers, seed), { events, trace })
  yield* Console.log(`seed ${seed}, ${peers} voters, ${profile}: ${Profile.profiles[profile].description}`)
  const campaign = Campaign.make({ peers, profile, runs, seed })
  const [elapsed] = yield* Effect.timed(runAll(campaign, runs))
  for (const line of SimulateReport.summary(campaign.summary(), elapsed)) yield* Console.log(line)
  const failure = campaign.failure()
  if (failure !== null) return yield* tell(failure, Campaign.command({ peers, profile }, failure.seed))
})

/** Nothing else runs during a simulation; every so often the bar is drawn and signals are heard. */
const BATCH_MILLIS = 50

const runAll = (campaign: Campaign.Campaign, runs: number): Effect.Effect<void> =>
  Effect.gen(function*() {
    let more = true
    while (more) {
      const until = (yield* Clock.currentTimeMillis) + BATCH_MILLIS
      while (more && (yield* Clock.currentTimeMillis) < until) more = campaign.next()
      yield* SimulateReport.progress(campaign.done(), runs)
      yield* Effect.sleep(0)
    }
  }).pipe(Effect.ensuring(SimulateReport.progressDone))

// The seed and everything drawn from it first, then an event a line if that is asked for, then what it came to.
const runOne = Effect.fnUntraced(function*(
  scenario: Scenario,
  { events, trace }: { readonly events: boolean; readonly trace: Option.Option<string> }
) {
  const lines = [`seed ${scenario.seed}`, ScenarioJson.format(scenario)]
  const traced: Array<string> = []
  const { violation } = Simulator.run(scenario, {
    log: events ? (line) => lines.push(line) : undefined,
    trace: Option.isSome(trace) ? (line) => traced.push(`${Trace.encode(line)}\n`) : undefined
  })
  lines.push(violation === null ? "nothing was broken" : `broken at ${violation.at} ms: ${violation.detail}`)
  if (Option.isSome(trace)) yield* write(trace.value, traced)
  yield* SimulateReport.print(lines)
  if (violation === null) return
  return yield* new PropertyBroken({ property: violation.property, repeat: "the same command" })
})

const write = Effect.fnUntraced(function*(file: string, lines: ReadonlyArray<string>) {
  const fs = yield* FileSystem.FileSystem
  yield* fs.writeFileString(file, lines.join("")).pipe(
    Effect.mapError(({ message }) => new TraceFileError({ file, problem: message }))
  )
})

const read = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const text = yield* fs.readFileString(file)
  return yield* Result.match(ScenarioJson.parse(text), {
    onFailure: (problem) => Effect.fail(new InvalidScenario({ file, problem })),
    onSuccess: Effect.succeed
  })
})

const tell = Effect.fnUntraced(function*({ seed, shrunk, violation }: Campaign.Failure, repeat: string) {
  yield* SimulateReport.print([
    `\nseed ${seed} breaks at ${violation.at} ms: ${violation.detail}`,
    "the smallest scenario found that breaks the same; --scenario FILE runs it:",
    ScenarioJson.format(shrunk),
    ...Story.tell(shrunk)
  ])
  return yield* new PropertyBroken({ property: violation.property, repeat })
})
