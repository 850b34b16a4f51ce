/** The quorum port where everybody has to log in. */
import type { Connection } from "@conclave/quorum/Transport"
import { assert, describe, it } from "@effect/vitest"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import { memory, tcp } from "../../quorum-node/test/CnxManagerPlaces.ts"
import { introduce, led, QUORUM_PORT, startAll } from "../../quorum-node/test/LeadershipContract.ts"
import * as DigestMechanism from "../src/DigestMechanism.ts"
import * as SaslAuth from "../src/SaslAuth.ts"

const authOf = (password: string) =>
  DigestMechanism.make({
    learner: { username: "alice", password: Redacted.make(password) },
    users: new Map([["alice", Redacted.make("secret")]])
  }).pipe(
    Effect.map((mechanisms) => SaslAuth.make({ learnerRequireSasl: true, serverRequireSasl: true }, mechanisms)),
    Effect.provide(SecureRandom.layerWebCrypto)
  )

const TIMEOUT = 10_000

describe.each([["memory", memory], ["TCP", tcp]] as const)("the quorum port over %s, with SASL", (_, makePlace) => {
  it.live("is for those who log in", () =>
    Effect.gen(function*() {
      const place = yield* makePlace
      const leader = yield* led(yield* startAll(place, yield* authOf("secret")), 1n)
      const transport = yield* place.transport(place.host(5n))
      const dial = transport.dial({ host: place.host(leader.sid), port: QUORUM_PORT })
      const logIn = Effect.fnUntraced(function*(connection: Connection, password: string) {
        return yield* (yield* authOf(password)).learner(connection, place.host(leader.sid), TIMEOUT)
      })
      const known = yield* dial
      yield* logIn(known, "secret")
      assert.strictEqual(yield* introduce(known, 5n), "LEADERINFO")
      yield* Effect.flip(Effect.flatMap(dial, (connection) => logIn(connection, "guess")))
      assert.isNull(yield* introduce(yield* dial, 5n), "who does not log in at all")
      assert.strictEqual((yield* leader.leadership.status)._tag, "LEADING")
    }).pipe(Effect.provide(Logger.layer([]))), 30_000)
})
