import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Socket from "effect/socket/Socket"
import * as Handshake from "../src/Handshake.ts"
import * as LinkLog from "../src/LinkLog.ts"

const told = (error: Handshake.HandshakeError) =>
  Effect.gen(function*() {
    const logged: Array<string> = []
    const logger = Logger.layer([Logger.make(({ message }) => void logged.push(String(message)))])
    yield* Effect.provide(LinkLog.handshakeFailed("10.0.0.9:4711", error, true), logger)
    return logged
  })

describe("who did not shake hands", () => {
  it.effect("is told of in words, not in the code of a socket", () =>
    Effect.gen(function*() {
      const closed = new Socket.SocketError({ reason: new Socket.SocketCloseError({ code: 1000 }) })
      assert.deepStrictEqual(yield* told(closed), [
        "connection from 10.0.0.9:4711 refused: it ended before the handshake did"
      ])
      assert.deepStrictEqual(yield* told(new Handshake.HandshakeTimedOut({ millis: 7 })), [
        "connection from 10.0.0.9:4711 refused: no handshake within 7 ms"
      ])
    }))
})
