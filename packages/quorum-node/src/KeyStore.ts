/**
 * Reads stores of keys and certificates: PEM, and PKCS12, which is also what
 * keytool writes since Java 9.
 *
 * Java: `FileKeyStoreLoader`, `PemReader`.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Crypto from "node:crypto"
import * as Fs from "node:fs/promises"
import { extname } from "node:path"
import { StoreError } from "./StoreError.ts"

/** The kinds of stores that ZooKeeper knows. */
export const types = ["JKS", "PEM", "PKCS12", "BCFKS"] as const

/** A kind of store. */
export type Type = typeof types[number]

/** Where a store is and how it is opened. */
export interface Store {
  readonly location: string
  /** Told by the extension if absent: `.jks`, `.pem`, `.p12`, `.bcfks`. */
  readonly type?: Type | undefined
  readonly password?: Redacted.Redacted | undefined
  /** A file whose content is the password; it counts before `password`. */
  readonly passwordPath?: string | undefined
}

/** What a store holds, in PEM; the keys are not encrypted any more. */
export interface Contents {
  readonly type: "PEM" | "PKCS12"
  readonly keys: ReadonlyArray<string>
  readonly certificates: ReadonlyArray<string>
}

/** The files that a store is read from. */
export const filesOf = ({ location, passwordPath }: Store): ReadonlyArray<string> =>
  passwordPath === undefined ? [location] : [location, passwordPath]

/** What a store holds. */
export const read = Effect.fnUntraced(function*(store: Store): Effect.fn.Return<Contents, StoreError> {
  const { location } = store
  const password = store.passwordPath === undefined
    ? Redacted.value(store.password ?? Redacted.make(""))
    // One line end belongs to the file and not to the password.
    : (yield* readFile(store.passwordPath)).toString("utf8").replace(/\r?\n$/, "")
  const type = yield* typeOf(store)
  const bytes = yield* readFile(location)
  if (type === "BCFKS" || foreign.some((magic) => bytes.subarray(0, 4).equals(magic))) {
    return yield* new StoreError({
      file: location,
      problem: "stores of this type (JKS, JCEKS, BCFKS) can be read by Java only",
      remedy: `convert it: keytool -importkeystore -srckeystore ${location} -destkeystore ` +
        `${location.replace(/\.[^./]+$/, "")}.p12 -deststoretype PKCS12`
    })
  }
  return yield* type === "PEM"
    ? readPem(location, bytes.toString("latin1"), password)
    : readPkcs12(location, bytes, password)
})

/** The bytes of a file. */
export const readFile = (file: string): Effect.Effect<Buffer, StoreError> =>
  Effect.tryPromise({
    try: () => Fs.readFile(file),
    catch: (cause) =>
      new StoreError({
        file,
        problem: `the file cannot be read (${(cause as NodeJS.ErrnoException).code ?? "unknown"})`,
        remedy: "correct its place in the configuration, or its permissions"
      })
  })

/** The PEM blocks of a text whose label fits. */
export const pemBlocks = (text: string, label: RegExp): ReadonlyArray<string> =>
  Array.from(text.matchAll(/-----BEGIN ([A-Z0-9 ]+)-----[^-]+-----END \1-----/g))
    .filter(([, found = ""]) => label.test(found))
    .map(([block]) => `${block}\n`)

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

// The first four bytes of JKS and of JCEKS. Both are closed formats with a home-made cipher; no library for them is
// maintained well enough to be trusted with a private key, and Java itself has written PKCS12 for years.
const foreign = [Buffer.from("feedfeed", "hex"), Buffer.from("cececece", "hex")]

const extensions: Readonly<Record<string, Type>> = { ".jks": "JKS", ".pem": "PEM", ".p12": "PKCS12", ".bcfks": "BCFKS" }

const typeOf = ({ location, type }: Store): Effect.Effect<Type, StoreError> => {
  const found = type ?? extensions[extname(location).toLowerCase()]
  return found !== undefined ? Effect.succeed(found) : Effect.fail(
    new StoreError({
      file: location,
      problem: "Unable to auto-detect store file type from file name",
      remedy: "set the store's type to PEM or PKCS12, or let the name end in .pem or .p12"
    })
  )
}

const readPem = (file: string, text: string, password: string): Effect.Effect<Contents, StoreError> =>
  Effect.try({
    try: () => ({
      type: "PEM" as const,
      // OpenSSL would ask on the terminal for a password that is missing, if it is not given as an empty one.
      keys: pemBlocks(text, /PRIVATE KEY$/).map((key) =>
        Crypto.createPrivateKey({ key, passphrase: password }).export({ type: "pkcs8", format: "pem" }).toString()),
      certificates: pemBlocks(text, /^(X509 |TRUSTED )?CERTIFICATE$/).map((block) =>
        new Crypto.X509Certificate(block).toString())
    }),
    catch: (cause) => unreadable(file, cause)
  })

const readPkcs12 = Effect.fnUntraced(function*(
  file: string,
  bytes: Buffer,
  password: string
): Effect.fn.Return<Contents, StoreError> {
  // Only who needs the library waits for it.
  const Pkcs12 = yield* Effect.promise(() => import("./Pkcs12.ts"))
  return yield* Effect.try({ try: () => Pkcs12.open(bytes, password), catch: (cause) => unreadable(file, cause) })
})

const unreadable = (file: string, cause: unknown) => {
  const text = cause instanceof Error ? cause.message : String(cause)
  const isPassword = /mac verify|mac could not be verified|bad decrypt|password|passphrase|interrupted/i.test(text)
  return new StoreError({
    file,
    problem: isPassword ? "the password does not open it" : `it cannot be understood (${text})`,
    remedy: isPassword
      ? "correct the store's password, or what stands in the file of its passwordPath"
      : "check that its type is the one configured and that it was written to its end"
  })
}
