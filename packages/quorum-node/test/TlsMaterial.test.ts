import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { createPrivateKey, X509Certificate } from "node:crypto"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Store } from "../src/KeyStore.ts"
import * as TlsMaterial from "../src/TlsMaterial.ts"
import * as Certificates from "./Certificates.ts"

const PASSWORD = "pässword "

const root = Certificates.authority("root")
const middle = Certificates.authority("middle", root)
const issued = Certificates.issue(middle, { names: ["DNS:zoo-1"] })
const encrypted = createPrivateKey(issued.key).export({
  type: "pkcs8",
  format: "pem",
  cipher: "aes-256-cbc",
  passphrase: PASSWORD
})

const file = (name: string, content: string | Buffer): string => {
  const path = join(Certificates.directory("test"), name)
  writeFileSync(path, content)
  return path
}

const store = (name: string, content: string | Buffer, rest: Partial<Store> = {}): Store => ({
  location: file(name, content),
  ...rest
})

const password = Redacted.make(PASSWORD)
const passwordPath = () => file("password", `${PASSWORD}\n`)
const trust = (): Store => store("trust.pem", root.certificate)

const load = (keyStore: Store, trustStore: Store = trust(), crlFile?: string) =>
  TlsMaterial.load({ keyStore, trustStore, crlFile })

const subjects = (pem: string) =>
  Array.from(pem.matchAll(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g), ([one]) => new X509Certificate(one).subject)

const chain = issued.certificate + middle.certificate
const certificates = [middle.certificate, issued.certificate]

describe("a key store", () => {
  const stores: ReadonlyArray<readonly [what: string, make: () => Store]> = [
    ["PEM", () => store("key.pem", issued.key + chain)],
    ["PEM, the key last and the issuer first", () => store("key.pem", certificates.join("") + issued.key)],
    ["PEM with other text between", () => store("key.pem", `Bag Attributes\n  a: b\n${issued.key}\ns=x\n${chain}`)],
    ["PEM by its type", () => store("key", issued.key + chain, { type: "PEM" })],
    ["PEM, encrypted", () => store("key.pem", encrypted + chain, { password })],
    ["PEM, encrypted, the password in a file that counts first", () =>
      store("key.pem", encrypted + chain, { password: Redacted.make("wrong"), passwordPath: passwordPath() })],
    ["PKCS12", () => store("key.p12", Certificates.pkcs12(issued.key, certificates, PASSWORD), { password })],
    ["PKCS12 without a password", () => store("key.p12", Certificates.pkcs12(issued.key, certificates, ""))],
    ["PKCS12 that is called JKS, as keytool writes it", () =>
      store("key.jks", Certificates.pkcs12(issued.key, certificates, PASSWORD), { passwordPath: passwordPath() })]
  ]
  for (const [what, make] of stores) {
    it.effect(what, () =>
      Effect.gen(function*() {
        const { ca, cert, description, key } = yield* load(make())
        assert.deepStrictEqual(subjects(cert), ["CN=server", "CN=middle"])
        assert.isTrue(new X509Certificate(cert).checkPrivateKey(createPrivateKey(key)))
        assert.deepStrictEqual(ca.flatMap(subjects), ["CN=root"])
        assert.match(description, /^our certificate for zoo-1, valid until /)
      }))
  }
})

describe("a trust store", () => {
  const two = [root.certificate, middle.certificate]
  it.effect("is PEM with any number of certificates, or PKCS12", () =>
    Effect.gen(function*() {
      const key = store("key.pem", issued.key + chain)
      const pem = yield* load(key, store("trust.pem", two.join("\n")))
      const pkcs12 = yield* load(key, store("trust.p12", Certificates.pkcs12(null, two, PASSWORD), { password }))
      assert.deepStrictEqual(pem.ca.flatMap(subjects), ["CN=root", "CN=middle"])
      assert.deepStrictEqual(pkcs12.ca, pem.ca)
    }))
})

describe("stores that cannot be used", () => {
  const good = () => store("key.pem", issued.key + chain)
  const p12 = () => Certificates.pkcs12(issued.key, certificates, PASSWORD)
  type Row = readonly [problem: RegExp, remedy: RegExp, keyStore: () => Store, trustStore?: () => Store]
  const wrong = { password: Redacted.make("wrong") }
  const rows: ReadonlyArray<Row> = [
    [/^the file cannot be read \(ENOENT\)$/, /permissions/, () => ({ location: "/nowhere/key.pem" })],
    [/^the file cannot be read \(ENOENT\)$/, /permissions/, () => ({ ...good(), passwordPath: "/nowhere/password" })],
    [/^Unable to auto-detect store file type from file name$/, /end in \.pem or \.p12/, () => store("key.key", "")],
    [/JKS.*by Java only$/, /keytool -importkeystore .*\.jks .*key\.p12 -deststoretype PKCS12$/, () =>
      store("key.jks", Buffer.from("feedfeed00000002", "hex"))],
    [/JCEKS.*by Java only$/, /keytool/, () => store("key.p12", Buffer.from("cececece00000002", "hex"))],
    [/BCFKS\) can be read by Java only$/, /keytool/, () => store("key.bcfks", "")],
    [/^the password does not open it$/, /passwordPath$/, () => store("key.p12", p12(), wrong)],
    [/^the password does not open it$/, /passwordPath$/, () => store("key.pem", encrypted + chain)],
    [/^the password does not open it$/, /passwordPath$/, () => store("key.pem", encrypted + chain, wrong)],
    [/^it cannot be understood \(/, /to its end$/, () => store("key.p12", p12().subarray(0, 900), { password })],
    [/^it cannot be understood \(/, /to its end$/, () => store("key.pem", issued.key.replace("MII", "AII") + chain)],
    [/^it holds no private key$/, /into one key store$/, () => store("key.pem", chain)],
    [/^none of its certificates belongs to/, /of that key$/, () => store("key.pem", Certificates.otherKey() + chain)],
    [/^it holds no certificate$/, /that you trust into it$/, good, () => store("trust.pem", "")],
    [/^it holds a private key$/, /of their own$/, good, () => store("trust.p12", p12(), { password })]
  ]
  for (const [index, [problem, remedy, keyStore, trustStore]] of rows.entries()) {
    it.effect(`${index + 1}: ${problem.source}`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(load(keyStore(), trustStore?.()))
        assert.match(error.problem, problem)
        assert.match(error.remedy, remedy)
        assert.notInclude(error.message, PASSWORD)
      }))
  }

  it.effect("a file without revocation lists", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(load(good(), trust(), file("crl.pem", "")))
      assert.strictEqual(error.problem, "it holds no revocation list")
      const { crl } = yield* load(good(), trust(), file("crl.pem", Certificates.revoke(root, [])))
      assert.strictEqual(crl?.length, 1)
    }))
})
