/**
 * Certificates made for a test: authorities, what they issue, what they revoke. Two
 * keys serve all of them, because a key takes long to make.
 */
import Forge from "node-forge"
import { generateKeyPairSync, randomBytes } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, onTestFinished } from "vitest"

const { asn1, pki } = Forge

const makeKey = (): string =>
  generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" }
  }).privateKey

/** Who issues certificates. */
export interface Authority {
  readonly name: string
  readonly key: string
  readonly certificate: string
}

/** A certificate and its key, in PEM. */
export interface Issued {
  readonly key: string
  readonly certificate: string
  readonly serial: string
}

/** What a certificate says. */
export interface Terms {
  /** `DNS:name` and `IP:address`; none leaves the extension out. */
  readonly names?: ReadonlyArray<string>
  readonly commonName?: string
  /** In days from now. Default: yesterday and tomorrow. */
  readonly from?: number
  readonly to?: number
  readonly purpose?: "serverAuth" | "clientAuth"
}

const DAY_MS = 86_400_000

const keys = { authority: makeKey(), leaf: makeKey() }

/** The key that belongs to no certificate of these. */
export const otherKey = makeKey

const build = (name: string, key: string, terms: Terms) => {
  const certificate = pki.createCertificate()
  const { e, n } = pki.privateKeyFromPem(key)
  certificate.publicKey = pki.setRsaPublicKey(n, e)
  // A leading zero byte would be left out of the number.
  certificate.serialNumber = `5${randomBytes(8).toString("hex").slice(1)}`
  certificate.validity.notBefore = new Date(Date.now() + (terms.from ?? -1) * DAY_MS)
  certificate.validity.notAfter = new Date(Date.now() + (terms.to ?? 1) * DAY_MS)
  certificate.setSubject([{ name: "commonName", value: name }])
  return certificate
}

const sign = (certificate: Forge.pki.Certificate, issuer: string, key: string): string => {
  certificate.setIssuer([{ name: "commonName", value: issuer }])
  certificate.sign(pki.privateKeyFromPem(key), Forge.md.sha256.create())
  return pki.certificateToPem(certificate)
}

/** Makes an authority; under another one, if that is given. */
export const authority = (name: string, parent?: Authority): Authority => {
  const key = parent === undefined ? keys.authority : makeKey()
  const certificate = build(name, key, { from: -2, to: 2 })
  certificate.setExtensions([
    { name: "basicConstraints", cA: true, critical: true },
    { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true }
  ])
  return { name, key, certificate: sign(certificate, parent?.name ?? name, parent?.key ?? key) }
}

const nameOf = (name: string) =>
  name.startsWith("IP:") ? { type: 7, ip: name.slice(3) } : { type: 2, value: name.slice(4) }

/** Issues a certificate. */
export const issue = (issuer: Authority | "itself", terms: Terms): Issued => {
  const { commonName = "server", names = [], purpose } = terms
  const certificate = build(commonName, keys.leaf, terms)
  certificate.setExtensions([
    ...(names.length > 0 ? [{ name: "subjectAltName", altNames: names.map(nameOf) }] : []),
    ...(purpose === undefined ? [] : [{ name: "extKeyUsage", [purpose]: true }])
  ])
  const [by, key] = issuer === "itself" ? [commonName, keys.leaf] : [issuer.name, issuer.key]
  const pem = sign(certificate, by, key)
  return { key: keys.leaf, certificate: pem, serial: certificate.serialNumber }
}

/** A revocation list. */
export const revoke = (issuer: Authority, revoked: ReadonlyArray<Issued>, to = 1): string => {
  const { Class, Type } = asn1
  const node = (type: Forge.asn1.Type, value: string | Array<Forge.asn1.Asn1>) =>
    asn1.create(Class.UNIVERSAL, type, typeof value !== "string", value)
  const time = (days: number) => node(Type.UTCTIME, asn1.dateToUtcTime(new Date(Date.now() + days * DAY_MS)))
  const algorithm = node(Type.SEQUENCE, [
    node(Type.OID, asn1.oidToDer(pki.oids["sha256WithRSAEncryption"]!).getBytes()),
    node(Type.NULL, "")
  ])
  const entries = revoked.map(({ serial }) =>
    node(Type.SEQUENCE, [node(Type.INTEGER, Forge.util.hexToBytes(serial)), time(-1)]))
  const list = node(Type.SEQUENCE, [
    node(Type.INTEGER, "\x01"),
    algorithm,
    pki.distinguishedNameToAsn1(pki.certificateFromPem(issuer.certificate).subject),
    time(-1),
    time(to),
    ...(entries.length > 0 ? [node(Type.SEQUENCE, entries)] : [])
  ])
  const digest = Forge.md.sha256.create().update(asn1.toDer(list).getBytes())
  const signature = pki.privateKeyFromPem(issuer.key).sign(digest)
  const whole = node(Type.SEQUENCE, [list, algorithm, node(Type.BITSTRING, `\x00${signature}`)])
  return Forge.pem.encode({ type: "X509 CRL", body: asn1.toDer(whole).getBytes() })
}

/** A PKCS12 store; without a key it is one of trusted certificates. */
export const pkcs12 = (key: string | null, certificates: ReadonlyArray<string>, password: string): Buffer => {
  const store = Forge.pkcs12.toPkcs12Asn1(
    key === null ? (null as never) : pki.privateKeyFromPem(key),
    certificates.map((pem) => pki.certificateFromPem(pem)),
    password,
    { algorithm: "aes256" }
  )
  return Buffer.from(asn1.toDer(store).getBytes(), "latin1")
}

/** A directory that is removed when all tests of the file, or the running one, have ended. */
export const directory = (lifetime: "file" | "test"): string => {
  const path = mkdtempSync(join(tmpdir(), "conclave-tls-"))
  const remove = () => rmSync(path, { recursive: true, force: true })
  if (lifetime === "file") afterAll(remove)
  else onTestFinished(remove)
  return path
}

/** The stores of one server, as files. */
export interface Stores {
  readonly keyStore: { readonly location: string }
  readonly trustStore: { readonly location: string }
}

/** Writes PEM stores into a directory. */
export const write = (
  into: string,
  { certificate, key }: Pick<Issued, "certificate" | "key">,
  ...trusted: ReadonlyArray<{ readonly certificate: string }>
): Stores => {
  const stores = { keyStore: { location: join(into, "key.pem") }, trustStore: { location: join(into, "trust.pem") } }
  writeFileSync(stores.keyStore.location, key + certificate)
  writeFileSync(stores.trustStore.location, trusted.map((one) => one.certificate).join(""))
  return stores
}
