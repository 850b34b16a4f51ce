/**
 * Our key, our certificates and those we trust: read from their stores, checked
 * before they are used, and read again when the files change.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Crypto from "node:crypto"
import * as Tls from "node:tls"
import type { Protocol } from "./Ciphers.ts"
import * as Identity from "./Identity.ts"
import * as KeyStore from "./KeyStore.ts"
import * as Reload from "./Reload.ts"
import { StoreError } from "./StoreError.ts"
import type { TlsOptions } from "./TlsOptions.ts"

/** What a TLS handshake is made with, as Node takes it. */
export interface Material {
  readonly key: string
  readonly cert: string
  readonly ca: ReadonlyArray<string>
  readonly crl: ReadonlyArray<string> | undefined
  /** For whom our certificate speaks and how long, for people. */
  readonly description: string
}

/** Which of the options say what is read. */
export type Files = Pick<TlsOptions, "keyStore" | "trustStore" | "crlFile">

/**
 * What to use now: call it for each handshake. If the options ask for it, new files
 * take the place of old ones as soon as they are there and are good; who is
 * connected stays connected.
 */
export const keep = Effect.fnUntraced(function*(
  options: Files & Pick<TlsOptions, "reloadCertFiles">
): Effect.fn.Return<() => Material, StoreError, Scope.Scope> {
  const { crlFile, keyStore, reloadCertFiles, trustStore } = options
  const files = [...KeyStore.filesOf(keyStore), ...KeyStore.filesOf(trustStore), ...(crlFile ? [crlFile] : [])]
  const seen = yield* Reload.fingerprint(files)
  let current = yield* load(options)
  yield* Effect.logInfo(`TLS with ${current.description}`)
  if (reloadCertFiles) {
    yield* Reload.watch(files, seen, Effect.matchEffect(load(options), {
      onFailure: ({ message }) =>
        Effect.logWarning(`new key or certificate files cannot be used, the old ones stay in use: ${message}`),
      onSuccess: (next) => {
        current = next
        return Effect.logInfo(`new key or certificate files are in use: TLS with ${next.description}`)
      }
    }))
  }
  return () => current
})

/** Reads the stores, and makes sure that they can be used together. */
export const load = Effect.fnUntraced(function*(files: Files): Effect.fn.Return<Material, StoreError> {
  const { keyStore, trustStore } = files
  const { cert, key, leaf } = yield* ownOf(keyStore.location, yield* KeyStore.read(keyStore))
  const ca = yield* anchorsOf(trustStore.location, yield* KeyStore.read(trustStore))
  const crl = files.crlFile === undefined ? undefined : yield* readLists(files.crlFile)
  const material: Material = {
    key,
    cert,
    ca,
    crl,
    description: `our certificate for ${Identity.describe(Identity.namesOf(leaf))}, valid until ${leaf.validTo}`
  }
  yield* Effect.try({
    try: () => Tls.createSecureContext(contextOf(material)),
    catch: (cause) => fault(files.crlFile ?? keyStore.location, `TLS cannot use it (${String(cause)})`, "replace it")
  })
  return material
})

/** The part of Node's options that the material is. Every trusted certificate is an anchor, as in Java. */
export const contextOf = ({ ca, cert, crl, key }: Material): Tls.SecureContextOptions => ({
  key,
  cert,
  ca: [...ca],
  allowPartialTrustChain: true,
  ...(crl === undefined ? {} : { crl: [...crl] })
})

/** The part of Node's options that limits what is agreed on. */
export const limitsOf = (
  protocols: ReadonlyArray<Protocol>,
  ciphers: ReadonlyArray<string>
): Tls.SecureContextOptions => ({
  minVersion: protocols.includes("TLSv1.2") ? "TLSv1.2" : "TLSv1.3",
  maxVersion: protocols.includes("TLSv1.3") ? "TLSv1.3" : "TLSv1.2",
  ciphers: ciphers.join(":")
})

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const fault = (file: string, problem: string, remedy: string) => new StoreError({ file, problem, remedy })

// The first key, its certificate, and from there issuer by issuer.
const ownOf = Effect.fnUntraced(function*(file: string, { certificates, keys }: KeyStore.Contents) {
  const [key] = keys
  if (key === undefined) {
    return yield* fault(file, "it holds no private key", "put this server's key and certificate into one key store")
  }
  const privateKey = Crypto.createPrivateKey(key)
  const all = certificates.map((pem) => new Crypto.X509Certificate(pem))
  const leaf = all.find((one) => one.checkPrivateKey(privateKey))
  if (leaf === undefined) {
    return yield* fault(file, "none of its certificates belongs to its private key", "add the certificate of that key")
  }
  const chain = [leaf]
  for (let last = leaf; ;) {
    const issuer = all.find((one) => !chain.includes(one) && last.checkIssued(one))
    if (issuer === undefined) break
    chain.push(issuer)
    last = issuer
  }
  return { key, leaf, cert: chain.map((one) => one.toString()).join("") }
})

const anchorsOf = Effect.fnUntraced(function*(file: string, { certificates, keys, type }: KeyStore.Contents) {
  if (certificates.length === 0) {
    return yield* fault(file, "it holds no certificate", "put the certificates of the issuers that you trust into it")
  }
  // Java would trust the certificates that are entries of their own, which cannot be told here from those of a chain.
  if (type === "PKCS12" && keys.length > 0) {
    return yield* fault(file, "it holds a private key", "keep the certificates that you trust in a store of their own")
  }
  return certificates
})

const readLists = Effect.fnUntraced(function*(file: string) {
  const lists = KeyStore.pemBlocks((yield* KeyStore.readFile(file)).toString("latin1"), /^X509 CRL$/)
  if (lists.length > 0) return lists
  return yield* fault(file, "it holds no revocation list", "write the list of every issuer into it, in PEM (X509 CRL)")
})
