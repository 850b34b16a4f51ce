/**
 * How the values of the protocol stand in a trace.
 *
 * The compiler makes sure that no schema is narrower or wider than the type that
 * the core has.
 */
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import type * as Address from "../Address.ts"
import type * as Ensemble from "../Ensemble.ts"
import { InvalidConfig } from "../InvalidConfig.ts"
import type * as Lease from "../Lease.ts"
import type * as Notification from "../Notification.ts"
import * as QuorumPacket from "../QuorumPacket.ts"
import type * as QuorumServer from "../QuorumServer.ts"
import type * as QuorumVerifier from "../QuorumVerifier.ts"
import * as Rules from "../Rules.ts"
import type * as Vote from "../Vote.ts"

/** Says that a schema is exactly that of a type. */
export const of = <T>() =>
  <S extends Schema.Codec<T, unknown>>(schema: S & ([T] extends [S["Type"]] ? unknown : never)): Schema.Codec<T> =>
    schema as unknown as Schema.Codec<T>

/** An integer of 64 bits: a number in JSON, of any size. */
export const Wide = Schema.Union([Schema.BigInt, Schema.Int]).pipe(
  Schema.decodeTo(Schema.BigInt, SchemaTransformation.transform<bigint, bigint | number>({
    decode: (value) => BigInt(value),
    encode: (value) => value
  }))
)

/** A number. Read from more digits than a number has, it is the nearest. */
export const Real = Schema.Union([Schema.Finite, Schema.BigInt]).pipe(
  Schema.decodeTo(Schema.Finite, SchemaTransformation.transform<number, bigint | number>({
    decode: (value) => Number(value),
    encode: (value) => value
  }))
)

/** Sids in the order in which they were added. */
export const Sids = Schema.Array(Wide).pipe(
  Schema.decodeTo(
    Schema.ReadonlySet(Schema.BigInt),
    SchemaTransformation.transform<ReadonlySet<bigint>, ReadonlyArray<bigint>>({
      decode: (sids) => new Set(sids),
      encode: (sids) => Array.from(sids)
    })
  )
)

const WideMap = Schema.Array(Schema.Tuple([Wide, Wide])).pipe(
  Schema.decodeTo(
    Schema.ReadonlyMap(Schema.BigInt, Schema.BigInt),
    SchemaTransformation.transform<ReadonlyMap<bigint, bigint>, ReadonlyArray<readonly [bigint, bigint]>>({
      decode: (entries) => new Map(entries),
      encode: (map) => Array.from(map)
    })
  )
)

/** A host and a port. */
export const AddressOf = of<Address.Address>()(Schema.Struct({ host: Schema.String, port: Real }))

const ServerFields = Schema.Struct({
  sid: Wide,
  role: Schema.Literals(["participant", "observer"]),
  addresses: Schema.Array(
    Schema.Struct({ host: Schema.String, quorumPort: Real, electionPort: Real })
  ),
  clientAddress: Schema.NullOr(AddressOf)
})

/** A member. */
export const Server = of<QuorumServer.QuorumServer>()(ServerFields)

const Servers = Schema.Array(Schema.Tuple([Wide, ServerFields])).pipe(
  Schema.decodeTo(
    Schema.ReadonlyMap(Schema.BigInt, Schema.toType(ServerFields)),
    SchemaTransformation.transform<
      ReadonlyMap<bigint, QuorumServer.QuorumServer>,
      ReadonlyArray<readonly [bigint, QuorumServer.QuorumServer]>
    >({ decode: (entries) => new Map(entries), encode: (map) => Array.from(map) })
  )
)

const configured = { version: Wide, servers: Servers, voters: Sids, text: Schema.String }

/** A configuration. */
export const Verifier = of<QuorumVerifier.QuorumVerifier>()(Schema.TaggedUnion({
  Majority: configured,
  Hierarchical: { ...configured, groups: WideMap, weights: WideMap, groupWeights: WideMap },
  Oracle: { ...configured, oraclePath: Schema.String }
}))

const switches = Object.fromEntries(Object.keys(Rules.conclave).map((rule) => [rule, Schema.Boolean])) as Record<
  keyof Rules.Rules,
  typeof Schema.Boolean
>

/** Who a peer is. */
export const EnsembleOf = of<Ensemble.Ensemble>()(Schema.Struct({
  mySid: Wide,
  rules: Schema.Struct(switches),
  timing: Schema.Struct({
    finalizeWait: Real,
    minNotificationInterval: Real,
    maxNotificationInterval: Real
  }),
  electable: Schema.Boolean,
  reconfigEnabled: Schema.Boolean,
  standaloneEnabled: Schema.Boolean,
  multiAddress: Schema.Boolean
}))

/** What patience is counted in. */
export const Ticks = of<Ensemble.Ticks>()(Schema.Struct({
  tickTime: Real,
  initLimit: Real,
  syncLimit: Real
}))

/** A lease that is agreed on. */
export const LeaseOf = of<Lease.Lease>()(Schema.Struct({
  duration: Real,
  grace: Real,
  clockDrift: Real
}))

/** A promise to support nobody else. */
export const Pledge = of<Lease.Pledge>()(Schema.Struct({ leader: Schema.NullOr(Wide), until: Real }))

/** Where a history ends. */
export const history = { lastLoggedZxid: Wide, currentEpoch: Wide }

const proposal = { leader: Wide, zxid: Wide, peerEpoch: Wide }

/** Whom somebody proposes. */
export const Proposal = of<Vote.Proposal>()(Schema.Struct(proposal))

/** What a peer may be doing once it has a leader. */
export const Settled = Schema.Literals(["FOLLOWING", "LEADING", "OBSERVING"])

const State = Schema.Literals(["LOOKING", ...Settled.literals])

/** A vote. */
export const VoteOf = of<Vote.Vote>()(Schema.Struct({
  ...proposal,
  version: Real,
  electionEpoch: Wide,
  state: State
}))

/** A message received. */
export const NotificationOf = of<Notification.Notification>()(Schema.Struct({
  ...proposal,
  from: Wide,
  version: Real,
  state: Schema.Literals([...State.literals, "UNKNOWN"]),
  electionEpoch: Wide,
  config: Schema.NullOr(Schema.String)
}))

/** A message to be sent. */
export const ToSend = of<Notification.ToSend>()(Schema.Struct({
  ...proposal,
  to: Wide,
  state: State,
  electionEpoch: Wide,
  config: Schema.String
}))

/** A packet of the quorum port. */
export const Packet = of<QuorumPacket.QuorumPacket>()(Schema.Struct({
  type: Schema.Literals([...QuorumPacket.types, "UNKNOWN"]),
  zxid: Wide,
  data: Schema.NullOr(Schema.Uint8ArrayFromHex)
}))

/** What is wrong with a configuration text. */
export const Problem = of<InvalidConfig>()(InvalidConfig)
