/**
 * How connections are made secure, by ZooKeeper's names without the prefix
 * `ssl.quorum.`.
 */
import * as Ciphers from "./Ciphers.ts"
import type { Store } from "./KeyStore.ts"

/** Must a client show a certificate, may it, or is it not asked? Whichever it shows must be good. */
export type ClientAuth = "need" | "want" | "none"

/** What TLS between the servers needs to be told. Times are in milliseconds. */
export interface TlsOptions {
  /** Dial with TLS, and accept plain connections only if `portUnification`? */
  readonly sslQuorum: boolean
  /** Accept plain connections and TLS on one port? */
  readonly portUnification: boolean
  /** Our own key, its certificate, and the certificates between it and the root. */
  readonly keyStore: Store
  /** The certificates that are trusted, with all that they have issued. */
  readonly trustStore: Store
  /** A PEM file with the revocation list of every issuer. Without it nothing counts as revoked. */
  readonly crlFile: string | undefined
  /** In any order, without a gap. */
  readonly protocols: ReadonlyArray<Ciphers.Protocol>
  /** By OpenSSL's names, the preferred first. */
  readonly ciphers: ReadonlyArray<string>
  readonly clientAuth: ClientAuth
  /** Must a server that we dial prove to be where we dialled it? */
  readonly hostnameVerification: boolean
  /** Must a server that dials us prove to be where the configuration has it? */
  readonly clientHostnameVerification: boolean
  /** How long who dials may take to show whether it speaks TLS. */
  readonly handshakeDetectionTimeout: number
  /** Use new files as soon as they are there? Java: sslQuorumReloadCertFiles. */
  readonly reloadCertFiles: boolean
}

/** The defaults of ZooKeeper 3.8.0. */
export const defaults = {
  crlFile: undefined,
  protocols: ["TLSv1.2"],
  ciphers: Ciphers.defaults,
  clientAuth: "need",
  hostnameVerification: true,
  clientHostnameVerification: true,
  handshakeDetectionTimeout: 5_000,
  reloadCertFiles: false
} as const satisfies Partial<TlsOptions>

/** The options, of which those with a default may be left out. */
export type Input = Omit<TlsOptions, keyof typeof defaults> & Partial<Pick<TlsOptions, keyof typeof defaults>>
