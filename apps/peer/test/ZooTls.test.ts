import * as TlsOptions from "@conclave/quorum-node/TlsOptions"
import { assert, describe, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { inspect } from "node:util"
import * as Json from "@conclave/core/Json"
import * as ZooConfig from "../src/ZooConfig.ts"
import * as ZooSettings from "../src/ZooSettings.ts"
import * as ZooTls from "../src/ZooTls.ts"

const stores = ["ssl.quorum.keyStore.location=/k.p12", "ssl.quorum.trustStore.location=/t.pem"]

const parse = (...lines: ReadonlyArray<string>) =>
  Result.flatMap(ZooSettings.read(lines.join("\n"), { file: "zoo.cfg" }), ZooTls.parse)

const get = (...lines: ReadonlyArray<string>) => {
  const { tls, warnings } = Result.getOrThrow(parse(...lines))
  return { tls: tls ?? assert.fail("plain"), warnings }
}

const secure = (...lines: ReadonlyArray<string>) => get("sslQuorum=true", ...stores, ...lines)

const refused = (...lines: ReadonlyArray<string>) => {
  const result = parse(...lines)
  return Result.isFailure(result) ? result.failure : assert.fail(`accepted:\n${lines.join("\n")}`)
}

describe("TLS between servers", () => {
  it.each([[[]], [["sslQuorum=false", "portUnification=FALSE"]], [stores], [["ssl.quorum.protocol=SSLv3"]]])(
    "is off with %j",
    (lines) => assert.deepStrictEqual(Result.getOrThrow(parse(...lines)), { tls: null, warnings: [] })
  )

  it("has the defaults of 3.8.0", () => {
    const store = { type: undefined, password: Redacted.make(""), passwordPath: undefined }
    assert.deepStrictEqual(secure(), {
      tls: {
        ...TlsOptions.defaults,
        sslQuorum: true,
        portUnification: false,
        keyStore: { ...store, location: "/k.p12" },
        trustStore: { ...store, location: "/t.pem" }
      },
      warnings: []
    })
  })

  it("is on with either switch", () => {
    const { tls } = get("zookeeper.portUnification=true", ...stores)
    assert.deepStrictEqual([tls.sslQuorum, tls.portUnification], [false, true])
  })

  it.each<readonly [line: string, key: keyof TlsOptions.TlsOptions, value: unknown]>([
    ["sslQuorumReloadCertFiles=true", "reloadCertFiles", true],
    ["ssl.quorum.protocol=TLSv1.3", "protocols", ["TLSv1.3"]],
    ["ssl.quorum.enabledProtocols=TLSv1.3, TLSv1.2", "protocols", ["TLSv1.3", "TLSv1.2"]],
    ["zookeeper.ssl.quorum.clientAuth=WANT", "clientAuth", "want"],
    ["ssl.quorum.clientAuth=none", "clientAuth", "none"],
    ["ssl.quorum.hostnameVerification=false", "hostnameVerification", false],
    ["ssl.quorum.clientHostnameVerification=false", "clientHostnameVerification", false],
    ["ssl.quorum.handshakeDetectionTimeoutMillis=100", "handshakeDetectionTimeout", 100],
    ["ssl.quorum.handshakeDetectionTimeoutMillis=0", "handshakeDetectionTimeout", 5000],
    ["ssl.quorum.crl=true\nconclave.ssl.quorum.crlFile=/c", "crlFile", "/c"],
    [
      "ssl.quorum.ciphersuites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,AES128-SHA",
      "ciphers",
      ["ECDHE-RSA-AES128-GCM-SHA256", "AES128-SHA"]
    ]
  ])("%s", (line, key, value) => assert.deepStrictEqual(secure(line).tls[key], value))

  it("opens stores with passwords that nothing shows", () => {
    const { tls } = secure(
      "ssl.quorum.keyStore.password=top secret",
      "ssl.quorum.keyStore.type=pkcs12",
      "ssl.quorum.trustStore.passwordPath=/p"
    )
    assert.strictEqual(Redacted.value(tls.keyStore.password ?? assert.fail("none")), "top secret")
    assert.strictEqual(tls.keyStore.type, "PKCS12")
    assert.strictEqual(tls.trustStore.passwordPath, "/p")
    for (const shown of [inspect(tls, { depth: 9 }), JSON.stringify(tls), Json.stringify(tls)]) {
      assert.notInclude(shown, "top secret")
    }
  })
})

describe("what cannot be", () => {
  const key = "ssl.quorum.keyStore.location"
  it.each<readonly [lines: ReadonlyArray<string>, problem: RegExp, remedy: RegExp]>([
    [["sslQuorum=true"], /^ssl\.quorum\.keyStore\.location is not set$/, /key\.p12$/],
    [["portUnification=true", `${key}=/k`], /^ssl\.quorum\.trustStore\.location is not set$/, /trust\.p12$/],
    [["sslQuorum=1"], /^Invalid option 1 for sslQuorum/, /sslQuorum=true or/],
    [["ssl.quorum.keyStore.type=ZIP"], /^ZIP is no type of store$/, /type=PEM or ssl\.quorum\.keyStore\.type=PKCS12$/],
    [["ssl.quorum.protocol=TLSv1"], /^TLSv1 is not spoken here$/, /protocol=TLSv1\.2 or TLSv1\.3$/],
    [["ssl.quorum.enabledProtocols=TLSv1.2,SSLv3"], /^SSLv3 is not spoken here$/, /enabledProtocols=/],
    [["ssl.quorum.ciphersuites=ROT13"], /^no cipher suite ROT13 is known here$/, /=TLS_ECDHE_RSA_WITH_/],
    [["ssl.quorum.clientAuth=maybe"], /^maybe is none of need, want and none$/, /clientAuth=need$/],
    [["ssl.quorum.handshakeDetectionTimeoutMillis=soon"], /^soon is not a whole number$/, /=5000$/],
    [["ssl.quorum.hostnameVerification=no"], /^Invalid option no for/, /hostnameVerification=true or/],
    [["ssl.quorum.crl=true"], /^revocation lists are not fetched/, /^write conclave\.ssl\.quorum\.crlFile=file/],
    [["ssl.quorum.ocsp=true"], /^revocation lists are not fetched/, /^write conclave\.ssl\.quorum\.crlFile=file/]
  ])("%j", (lines, problem, remedy) => {
    const isWhole = lines.some((line) => /^(sslQuorum|portUnification)=/.test(line))
    const error = refused(...(isWhole ? [] : ["sslQuorum=true", ...stores]), ...lines)
    assert.match(error.problem, problem)
    assert.match(error.remedy, remedy)
  })

  it("does not show a password in a line that cannot be read", () => {
    const error = refused("ssl.quorum.keyStore.password=top\\u secret")
    assert.strictEqual(error.line, 1)
    assert.include(error.message, "ssl.quorum.keyStore.password=...")
    assert.notInclude(error.message, "secret")
  })
})

describe("what is odd", () => {
  it.each([
    ["ssl.quorum.context.supplier.class=a.B", /is not supported: classes cannot be loaded; the stores count$/],
    ["ssl.quorum.allowReverseDnsLookup=true", /is not supported: addresses are not looked up backwards/],
    ["ssl.quorum.ocsp=true\nconclave.ssl.quorum.crlFile=/c", /^nobody is asked by OCSP; the lists in \/c count$/],
    ["conclave.ssl.quorum.crlFile=/c", /^the revocation lists count only with ssl\.quorum\.crl=true$/]
  ])("%s is told of", (line, message) => {
    const { warnings } = secure(line)
    const at = line.slice(0, line.indexOf("="))
    assert.deepStrictEqual(warnings.map((one) => [one.key, one.line]), [[at, 4]])
    assert.match(warnings[0]?.message ?? "", message)
  })

  it("is every key of ours that nobody knows", () => {
    const lines = ["dataDir=/d", "initLimit=1", "syncLimit=1", "ssl.quorum.keystore.location=/k", "ssl.keyStore.x=1"]
    const { warnings } = Result.getOrThrow(ZooConfig.parse(lines.join("\n"), { file: "zoo.cfg" }))
    assert.deepStrictEqual(warnings.map(({ key }) => key), ["ssl.quorum.keystore.location"])
  })
})
