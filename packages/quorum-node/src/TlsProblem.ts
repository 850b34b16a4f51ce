/**
 * What is wrong with a connection that is not secure, in words: who dialled whom,
 * what was shown, what was wrong with it, what to change.
 */
import { SecurityError, type SecurityReason } from "@conclave/quorum/Transport"
import type { X509Certificate } from "node:crypto"
import * as Identity from "./Identity.ts"

/** A connection as seen from here. */
export interface Side {
  readonly dialedBy: "Us" | "Them"
  /** The far end, `host:port`. */
  readonly remote: string
}

/** A certificate that did not verify, by Node's code for it. Of the codes OpenSSL has many more. */
export const ofCertificate = (side: Side, certificate: X509Certificate, code: string): SecurityError => {
  const { problem, reason, remedy } = verdicts[code]?.(certificate) ?? {
    reason: "Failed" as const,
    problem: `which is not valid (${code})`,
    remedy: "give that server another one"
  }
  return fail(reason, `${shown(side, certificate)}, ${problem}`, remedy)
}

/** A certificate for hosts other than the one the server claims to be. */
export const ofName = (side: Side, certificate: X509Certificate, hosts: ReadonlyArray<string>): SecurityError =>
  fail(
    "WrongName",
    `${shown(side, certificate)}, but the server that it says it is must be at ${hosts.join(" or ")}`,
    "give that server a certificate for one of these hosts, or correct its server.N line"
  )

/** Somebody who showed no certificate. */
export const noCertificate = ({ dialedBy, remote }: Side): SecurityError =>
  fail(
    "NoCertificate",
    dialedBy === "Us"
      ? `we dialled ${remote}, which showed no certificate`
      : `${remote} dialled us without a certificate`,
    "give that server a key store (ssl.quorum.keyStore), or set ssl.quorum.clientAuth=want here"
  )

/** A client that speaks plainly where only TLS is allowed. */
export const plaintext = (side: Side): SecurityError =>
  fail(
    "Plaintext",
    `${side.remote} dialled us without TLS, and this port accepts nothing else`,
    "set sslQuorum=true on that server, or portUnification=true here as long as servers are being moved to TLS"
  )

/** A client that has not said anything. */
export const silent = (side: Side, millis: number): SecurityError =>
  fail(
    "Silent",
    `${side.remote} dialled us and began no TLS handshake within ${millis} ms`,
    "if it is one of the servers, see what keeps it (ssl.quorum.handshakeDetectionTimeoutMillis)"
  )

/** A server that accepts connections, and does not finish a handshake. */
export const unfinished = (side: Side): SecurityError =>
  fail(
    "Silent",
    `we dialled ${side.remote}, which accepted the connection and did not finish the TLS handshake in time`,
    "see its log and what keeps it; if it has no TLS, set sslQuorum=true or portUnification=true there"
  )

/** What broke off a handshake, or a connection after it, by Node's code for it. */
export const ofCode = (side: Side, code: string, offered: ReadonlyArray<string>): SecurityError => {
  const ours = offered.join(" and ")
  if (/UNSUPPORTED_PROTOCOL|ALERT_PROTOCOL_VERSION|VERSION_TOO/.test(code)) {
    const problem = `${together(side)} have no version of TLS in common; ours: ${ours}`
    return fail("NoCommonProtocol", problem, sameOf("enabledProtocols"))
  }
  if (/NO_SHARED_CIPHER|NO_CIPHERS_AVAILABLE/.test(code)) {
    return fail("NoCommonCipher", `${together(side)} have no cipher suite in common`, sameOf("ciphersuites"))
  }
  const alert = /ALERT_(\w+)$/.exec(code)?.[1]
  if (alert !== undefined) return refused(side, alert.toLowerCase().replaceAll("_", " "))
  const hungUp = /ECONNRESET|EPIPE|hung up/.test(code)
  if (side.dialedBy === "Them" && hungUp) return refused(side, "it hung up")
  return side.dialedBy === "Us"
    ? fail(
      "NotTls",
      `we dialled ${side.remote} with TLS, and it ${hungUp ? "hung up" : `did not answer with TLS (${code})`}`,
      "if it has no TLS, set sslQuorum=true or portUnification=true there, or sslQuorum=false here; else see its log"
    )
    : fail("NotTls", `${side.remote} dialled us and did not keep to TLS (${code})`, "see whether it is a server at all")
}

/** Does this code mean that the far end did not like something? */
export const isAlert = (code: string): boolean => /^ERR_SSL_.*ALERT/.test(code)

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

interface Verdict {
  readonly reason: SecurityReason
  readonly problem: string
  readonly remedy: string
}

const fail = (reason: SecurityReason, problem: string, remedy: string) => new SecurityError({ reason, problem, remedy })

const shown = ({ dialedBy, remote }: Side, certificate: X509Certificate): string => {
  const names = Identity.describe(Identity.namesOf(certificate))
  return dialedBy === "Us"
    ? `we dialled ${remote}, which showed a certificate for ${names}`
    : `${remote} dialled us with a certificate for ${names}`
}

const together = ({ dialedBy, remote }: Side): string => (dialedBy === "Us" ? `we and ${remote}` : `${remote} and we`)

const sameOf = (key: string): string => `make ssl.quorum.${key} overlap on both servers, or leave it out`

const refused = ({ dialedBy, remote }: Side, what: string): SecurityError =>
  fail(
    "RefusedByPeer",
    dialedBy === "Us" ? `we dialled ${remote}, which refused us: ${what}` : `${remote} dialled us and gave up: ${what}`,
    "see its log: it may not know the issuer of our certificate, or have no protocol or cipher suite in common with us"
  )

const issuerOf = ({ issuer }: X509Certificate): string => issuer.replaceAll("\n", ", ")

const unknownIssuer = (certificate: X509Certificate): Verdict => ({
  reason: "UnknownIssuer",
  problem: `issued by ${issuerOf(certificate)}, which our trust store does not hold`,
  remedy: "give that server a certificate of an issuer we trust, or put its issuer into ssl.quorum.trustStore here"
})

const unknownRevocation = (certificate: X509Certificate): Verdict => ({
  reason: "RevocationUnknown",
  problem: `and whether ${issuerOf(certificate)} has revoked it cannot be told`,
  remedy: "put a current revocation list of every issuer into the file of conclave.ssl.quorum.crlFile"
})

const verdicts: Readonly<Record<string, (certificate: X509Certificate) => Verdict>> = {
  CERT_HAS_EXPIRED: ({ validTo }) => ({
    reason: "Expired",
    problem: `which expired on ${validTo}`,
    remedy: "renew it in the key store of that server"
  }),
  CERT_NOT_YET_VALID: ({ validFrom }) => ({
    reason: "NotYetValid",
    problem: `which is not valid before ${validFrom}`,
    remedy: "compare the clocks of both hosts, or renew it"
  }),
  DEPTH_ZERO_SELF_SIGNED_CERT: () => ({
    reason: "SelfSigned",
    problem: "which is self-signed and not in our trust store",
    remedy: "give that server a certificate of an issuer we trust, or put this one into ssl.quorum.trustStore here"
  }),
  SELF_SIGNED_CERT_IN_CHAIN: unknownIssuer,
  UNABLE_TO_GET_ISSUER_CERT: unknownIssuer,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: unknownIssuer,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: unknownIssuer,
  CERT_SIGNATURE_FAILURE: unknownIssuer,
  CERT_UNTRUSTED: unknownIssuer,
  CERT_REVOKED: () => ({
    reason: "Revoked",
    problem: "which has been revoked",
    remedy: "give that server a new key and certificate"
  }),
  UNABLE_TO_GET_CRL: unknownRevocation,
  CRL_HAS_EXPIRED: unknownRevocation,
  CRL_NOT_YET_VALID: unknownRevocation,
  CRL_SIGNATURE_FAILURE: unknownRevocation,
  INVALID_PURPOSE: () => ({
    reason: "WrongPurpose",
    problem: "which was not issued for this use",
    remedy: "give that server one for both server and client authentication (extended key usage)"
  })
}
