import { assert, describe, it } from "@effect/vitest"
import * as Ciphers from "../src/Ciphers.ts"

describe("a cipher suite", () => {
  it.each([
    ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"],
    ["TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", "ECDHE-ECDSA-AES256-SHA384"],
    ["TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "ECDHE-RSA-AES128-SHA"],
    ["TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", "DHE-RSA-AES256-GCM-SHA384"],
    ["TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-RSA-CHACHA20-POLY1305"],
    ["TLS_RSA_WITH_AES_128_CBC_SHA256", "AES128-SHA256"],
    ["SSL_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384"],
    ["TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"],
    ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"],
    ["TLS_ECDHE_RSA_WITH_ROT13", undefined],
    ["ECDHE", undefined],
    ["", undefined]
  ])("%s is %s", (name, expected) => assert.strictEqual(Ciphers.toOpenSsl(name), expected))

  it("of the defaults is known, and there is none twice", () => {
    assert.deepStrictEqual(Ciphers.defaults.map(Ciphers.toOpenSsl), [...Ciphers.defaults])
    assert.strictEqual(new Set(Ciphers.defaults).size, 15)
    assert.deepStrictEqual(Ciphers.defaults.slice(0, 5), [
      "ECDHE-ECDSA-AES128-GCM-SHA256",
      "ECDHE-RSA-AES128-GCM-SHA256",
      "ECDHE-ECDSA-AES256-GCM-SHA384",
      "ECDHE-RSA-AES256-GCM-SHA384",
      "ECDHE-ECDSA-AES128-SHA256"
    ])
  })
})
