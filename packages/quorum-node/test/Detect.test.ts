import { assert, describe, it } from "@effect/vitest"
import { detect } from "../src/Detect.ts"

const bytes = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex")

describe("the first bytes", () => {
  it.each([
    ["of a TLS 1.2 ClientHello", "16 03 01 02 00", "Tls"],
    ["of a TLS 1.3 ClientHello", "16 03 01 06 8c 01", "Tls"],
    ["of an alert", "15 03 03 00 02", "Tls"],
    ["of the longest record", "17 03 03 ff ff", "Tls"],
    ["of an empty record", "16 03 01 00 00", "Plain"],
    ["of an SSL 2 greeting", "80 2e 01 00 02", "Plain"],
    ["of a handshake", "ff ff ff ff ff ff 00 00", "Plain"],
    ["of a handshake of 3.4", "00 00 00 00 00 00 00 03", "Plain"],
    ["of a SASL packet", "5f", "Plain"],
    ["of a request over HTTP", "47 45 54", "Plain"],
    ["none", "", "Undecided"]
  ])("%s", (_, hex, expected) => assert.strictEqual(detect(bytes(hex)), expected))

  it("decide as early as they can, whatever they are", () => {
    for (let type = 0; type < 256; type++) {
      const known = type >= 20 && type <= 24
      assert.strictEqual(detect(Uint8Array.of(type)), known ? "Undecided" : "Plain")
      for (let major = 0; major < 256; major++) {
        const possible = known && major === 3
        for (const tail of [[], [1], [1, 0]]) {
          assert.strictEqual(detect(Uint8Array.of(type, major, ...tail)), possible ? "Undecided" : "Plain")
        }
        for (const tail of [[0, 0, 1], [255, 1, 0], [3, 255, 255, 9]]) {
          assert.strictEqual(detect(Uint8Array.of(type, major, ...tail)), possible ? "Tls" : "Plain")
        }
        assert.strictEqual(detect(Uint8Array.of(type, major, 3, 0, 0)), "Plain")
      }
    }
  })
})
