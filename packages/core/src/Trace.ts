/**
 * What peers decided, one JSON object a line: what happened to a reducer, with all
 * facts, and what it answered, with all reasons.
 *
 * Nothing but these lines is needed to take every step again (`Conformance`) or to
 * tell what happened (`TraceStory`). The form is described in TRACE.md beside this
 * package's README.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Connections from "./Connections.ts"
import type * as ConnectionsOutput from "./ConnectionsOutput.ts"
import type * as Election from "./Election.ts"
import type * as ElectionOutput from "./ElectionOutput.ts"
import * as Ensemble from "./Ensemble.ts"
import * as Steps from "./internal/traceSteps.ts"
import * as Values from "./internal/traceValues.ts"
import * as Json from "./Json.ts"
import type * as Leader from "./Leader.ts"
import type * as LeaderOutput from "./LeaderOutput.ts"
import type * as Learner from "./Learner.ts"
import type * as LearnerOutput from "./LearnerOutput.ts"
import type * as Lease from "./Lease.ts"
import { NOBODY, type Sid } from "./Sid.ts"

/** The version of the form. Grows when a reader of before could misunderstand a line. */
export const VERSION = 1

/** The form, first in a file and again wherever another process goes on with it. */
export interface Header {
  readonly _tag: "Trace"
  readonly version: number
}

/** When and at whom. */
export interface Stamp {
  /** Milliseconds of a clock that never goes back, since a moment of no meaning. Starts anew with every process. */
  readonly ms: number
  /** Milliseconds since 1970 by the wall clock, by which the files of several peers are merged. */
  readonly wall: number
  readonly sid: Sid
}

/** So many lines are missing here: there was no room for them. */
export interface Lost extends Omit<Stamp, "sid"> {
  readonly _tag: "Lost"
  readonly lines: number
}

/** Which run of a reducer: numbered from 1 within one process, for each reducer of a peer apart. */
interface Instance extends Stamp {
  readonly instance: number
}

/** A membership as far as it cannot be computed. `lastSeen` is left out if it is the committed configuration. */
export type Members = Pick<Ensemble.Membership, "committed" | "learnerType" | "me"> & {
  readonly lastSeen?: Ensemble.Membership["lastSeen"]
}

/** What the reducers are started with. */
export interface Made {
  readonly election: {
    readonly ensemble: Ensemble.Ensemble
    readonly members: Members
    readonly history: Leader.Summary
  }
  readonly connections: { readonly view: Omit<Connections.View, "membership">; readonly members: Members }
  readonly leader: {
    readonly options: Omit<Leader.Options, "membership">
    readonly members: Members
    readonly history: Learner.History
    readonly pledge: Lease.Pledge | null
  }
  readonly learner: {
    readonly options: Omit<Learner.Options, "membership">
    readonly members: Members
    readonly history: Learner.History
    readonly pledge: Lease.Pledge | null
  }
}

/** The reducers by name. */
export type Reducer = keyof Made

/** A reducer begins. */
export type Start = {
  [R in Reducer]: Instance & { readonly _tag: "Start"; readonly reducer: R; readonly made: Made[R] }
}[Reducer]

/** What can happen to a reducer. */
export interface Events {
  readonly election: Election.Event
  readonly connections: Connections.Event
  readonly leader: Leader.Event
  readonly learner: Learner.Event
}

/** What a reducer can answer. */
export interface Outputs {
  readonly election: ElectionOutput.Output
  readonly connections: ConnectionsOutput.Output
  readonly leader: LeaderOutput.Output
  readonly learner: LearnerOutput.Output
}

/** One step of the reducer of this name. */
export interface StepOf<R extends Reducer> extends Instance {
  readonly _tag: "Step"
  readonly reducer: R
  /** Of an election: may we be proposed, where that is not what the start says? A peer that resigned abstains. */
  readonly electable?: boolean
  readonly event: Events[R]
  readonly outputs: ReadonlyArray<Outputs[R]>
}

/** One step. */
export type Step = { [R in Reducer]: StepOf<R> }[Reducer]

/** One line. */
export type Line = Header | Start | Step | Lost

/** What a trace begins with. */
export const header: Header = { _tag: "Trace", version: VERSION }

/** A line that is none, of this version. Whoever wrote the file is at fault. */
export class MalformedTrace extends Schema.TaggedError<MalformedTrace>()("MalformedTrace", {
  problem: Schema.String,
  /** Is it the beginning of a line, perhaps: of one that could not be written to its end? */
  isTorn: Schema.Boolean
}) {
  override get message(): string {
    return `no line of a trace: ${this.problem}`
  }
}

/**
 * The text of a line, without the newline. Of a beginning, which a shell gives with whatever options it has, only what
 * the reducer may ask for; a step is written as it is.
 */
export const encode = (line: Line): string => Json.stringify(line._tag === "Start" ? encodeStart(line) : line)

/** The line of a text. */
export const decode = (text: string): Result.Result<Line, MalformedTrace> => {
  const value = Result.try({ try: () => Json.parse(text), catch: () => "it is not JSON" })
  if (Result.isFailure(value)) return malformed(value.failure, true)
  const line = decodeLine(value.success)
  if (Result.isFailure(line)) return malformed(line.failure.message, false)
  const said = line.success
  return said._tag === "Trace" && said.version !== VERSION
    ? malformed(`it is of version ${said.version}, and this program reads version ${VERSION}`, false)
    : Result.succeed(said)
}

/** What a trace tells of a membership. */
export const members = ({ committed, lastSeen, learnerType, me }: Ensemble.Membership): Members => ({
  committed,
  ...(lastSeen === committed ? {} : { lastSeen }),
  learnerType,
  me
})

/** The membership that a trace tells of. Our own entry is among what is told, so nobody is looked up. */
export const membership = ({ committed, lastSeen, learnerType, me }: Members): Ensemble.Membership =>
  Ensemble.membership({ mySid: NOBODY, committed, lastSeen, learnerType, formerEntry: me })

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const malformed = (problem: string, isTorn: boolean) => Result.fail(new MalformedTrace({ problem, isTorn }))

const { Real, Wide, of } = Values
const { Int, NullOr, Struct, optionalKey, tag } = Schema

const time = { ms: Real, wall: Real }
const instance = { ...time, sid: Wide, instance: Int }

const membersFields = Struct({
  committed: Values.Verifier,
  lastSeen: optionalKey(Values.Verifier),
  learnerType: Schema.Literals(["participant", "observer"]),
  me: NullOr(Values.Server)
})

const role = {
  members: membersFields,
  history: Struct({ ...Values.history, acceptedEpoch: Wide }),
  pledge: NullOr(Values.Pledge)
}

const roleOptions = { mySid: Wide, ticks: Values.Ticks, lease: NullOr(Values.LeaseOf) }

const start = <const R extends Reducer, S extends Schema.Codec<Made[R], unknown>>(reducer: R, made: S) =>
  Struct({ _tag: tag("Start"), ...instance, reducer: tag(reducer), made })

const step = <const R extends Reducer>(
  reducer: R,
  event: Schema.Codec<Events[R]>,
  output: Schema.Codec<Outputs[R]>
) =>
  Struct({
    _tag: tag("Step"),
    ...instance,
    reducer: tag(reducer),
    electable: optionalKey(Schema.Boolean),
    event,
    outputs: Schema.Array(output)
  })

const LineOf = of<Line>()(Schema.Union([
  Struct({ _tag: tag("Trace"), version: Int }),
  Struct({ _tag: tag("Lost"), ...time, lines: Int }),
  start("election", Struct({
    ensemble: Values.EnsembleOf,
    members: membersFields,
    history: Struct(Values.history)
  })),
  start("connections", Struct({
    view: Struct({
      mySid: Wide,
      rules: Struct({ dialConfiguredAddresses: Schema.Boolean, redialBeforeClosing: Schema.Boolean }),
      probeAddresses: Schema.Boolean
    }),
    members: membersFields
  })),
  start("leader", Struct({ options: Struct({ ...roleOptions, acceptForeign: Schema.Boolean }), ...role })),
  start("learner", Struct({ options: Struct({ ...roleOptions, leader: Wide }), ...role })),
  step("election", Steps.ElectionEvent, Steps.ElectionOutputOf),
  step("connections", Steps.ConnectionsEvent, Steps.ConnectionsOutputOf),
  step("leader", Steps.LeaderEvent, Steps.LeaderOutputOf),
  step("learner", Steps.LearnerEvent, Steps.LearnerOutputOf)
]))

const encodeStart = Schema.encodeSync(LineOf)

// A field that nobody knows is as wrong as one that is missing: it would not be replayed.
const decodeLine = Schema.decodeUnknownResult(LineOf, { onExcessProperty: "error" })
