/**
 * Scenarios as JSON, so that one that breaks something can be kept, sent and run again.
 */
import * as Rules from "@conclave/core/Rules"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Scenario } from "./Scenario.ts"

/** One scenario in one line. */
export const format = (scenario: Scenario): string => JSON.stringify(scenario)

/** The scenario in a text, or what is wrong with the text and where. */
export const parse = (text: string): Result.Result<Scenario, string> =>
  Result.mapError(Schema.decodeResult(Schema.fromJsonString(schema))(text), String)

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const sid = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))
const sids = Schema.Array(sid)
const millis = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 600_000 }))
const percent = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100 }))
const small = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000 }))

const ruleNames = Object.keys(Rules.zookeeper) as Array<keyof Rules.Rules>

const member = Schema.Struct({
  sid,
  role: Schema.Literals(["Voter", "Observer", "Stranger"]),
  weight: small,
  group: small,
  electable: Schema.Boolean,
  rules: Schema.Union([Schema.Literals(["conclave", "zookeeper"]), Schema.Array(Schema.Literals(ruleNames))]),
  zxid: Schema.Int.check(Schema.isBetween({ minimum: -1, maximum: 1_000 })),
  epoch: small,
  clock: Schema.Int.check(Schema.isBetween({ minimum: 10, maximum: 1_000 })),
  starts: millis
})

const at = millis

const fault = Schema.Union([
  Schema.TaggedStruct("Crash", { at, for: millis, sid, power: Schema.Boolean }),
  Schema.TaggedStruct("CrashAtStore", { at, for: millis, power: Schema.Boolean }),
  Schema.TaggedStruct("Pause", { at, for: millis, sid }),
  Schema.TaggedStruct("Oversleep", { at, by: millis }),
  Schema.TaggedStruct("Cut", { at, for: millis, from: sids, both: Schema.Boolean }),
  Schema.TaggedStruct("Reset", { at, between: Schema.Tuple([sid, sid]) }),
  Schema.TaggedStruct("Clog", { at, for: millis, from: sid, to: sid }),
  Schema.TaggedStruct("Look", { at, sid }),
  Schema.TaggedStruct("Resign", { at, to: Schema.NullOr(sid) }),
  Schema.TaggedStruct("Jump", { at, sid, by: millis }),
  Schema.TaggedStruct("Lie", { at, for: millis, as: sid, to: sid, words: small }),
  Schema.TaggedStruct("Reconfigure", { at, on: sids, voters: sids })
])

const schema: Schema.Codec<Scenario, unknown> = Schema.Struct({
  seed: Schema.Int,
  quorum: Schema.Literals(["Majority", "Weighted", "Oracle"]),
  members: Schema.Array(member),
  pending: Schema.NullOr(sids),
  latency: Schema.Tuple([millis, millis]),
  loopback: millis,
  loss: percent,
  duplication: percent,
  bytes: Schema.Boolean,
  activation: Schema.Boolean,
  maxNotificationInterval: millis,
  faultsUntil: millis,
  faults: Schema.Array(fault),
  ticks: Schema.Struct({ tickTime: millis, initLimit: small, syncLimit: small }),
  storing: millis,
  storingFails: percent,
  lease: Schema.NullOr(Schema.Struct({ duration: millis, grace: millis, clockDrift: Schema.Finite }))
})
