/**
 * GSSAPI (Kerberos) where we dial: a context with the server, then the agreement
 * that nothing is wrapped afterwards (qop auth), over the npm package `kerberos`.
 *
 *     learner                          server
 *     AP-REQ                        ▶
 *                                    ◀ AP-REP, which proves the server
 *     empty                         ▶
 *                                    ◀ wrapped: layers it has, largest size
 *     wrapped: no layer, 0, who     ▶
 *                                    ◀ nothing, with SUCCESS
 *
 * Where we are dialled nobody can log in with it. A server must wrap its offer and
 * unwrap the answer, and the server of `kerberos` 7.0.0 has neither: `step` is all.
 *
 * RFC 4752, 3.1. Java: `com.sun.security.sasl.gsskerb.GssKrb5Client`.
 */
import * as QuorumAuth from "@conclave/quorum/QuorumAuth"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Layer from "effect/Layer"
import type { Mechanism, Mechanisms } from "./Mechanism.ts"
import * as SaslAuth from "./SaslAuth.ts"

/** What we use of the package; tokens are Base64. */
export interface Kerberos {
  readonly initializeClient: (
    /** `zkquorum@host`. */
    service: string,
    options: { readonly principal?: string; readonly mechOID: number; readonly flags: number }
  ) => Promise<KerberosClient>
}

/** One context with a server. */
export interface KerberosClient {
  /** Our principal, with its realm, once the context is complete. */
  readonly username: string | null
  readonly contextComplete: boolean
  readonly step: (challenge: string) => Promise<string | null>
  readonly unwrap: (challenge: string) => Promise<string>
  readonly wrap: (challenge: string, options: { readonly user: string }) => Promise<string>
}

/** A service that servers are known as. */
export interface ServicePrincipal {
  readonly service: string
  /** `_HOST` for the host name of whom we dial. */
  readonly host: string
}

/** Who we are, and who the servers are. */
export interface Principals {
  /** Ours; `null` for whom the ticket cache is of. */
  readonly principal: string | null
  readonly servicePrincipal: ServicePrincipal
}

/** The side that dials. The other refuses everybody. */
export const make = (kerberos: Kerberos, { principal, servicePrincipal }: Principals): Mechanisms => {
  const call = oneByOne()
  return {
    learner: (hostname) => {
      const service = serviceOf(servicePrincipal, hostname)
      const options = { ...(principal !== null && { principal }), mechOID: GSS_MECH_OID_KRB5, flags: FLAGS }
      return call(() => kerberos.initializeClient(service, options)).pipe(
        Effect.mapError((said) => notLoggedIn(service, said)),
        Effect.map((client) => ({ hasInitialResponse: true, ...learn(client, service, call) }))
      )
    },
    // Its first token is read before it is refused: closing with something unread could take the refusal with it.
    server: Effect.succeed({ evaluate: () => Effect.fail(noServer) })
  }
}

/** Kerberos where we dial, and only there; says so once. Nobody can be required to log in here. */
export const layer = (
  { learnerRequireSasl }: Pick<SaslAuth.Requirements, "learnerRequireSasl">,
  kerberos: Kerberos,
  principals: Principals
): Layer.Layer<never> =>
  Layer.effect(
    QuorumAuth.QuorumAuth,
    Effect.as(
      Effect.logWarning(`${noServer.message}; until then no server of a larger id that authenticates can connect`),
      SaslAuth.make({ learnerRequireSasl, serverRequireSasl: false }, make(kerberos, principals))
    )
  )

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/** The package's number for Kerberos 5, and no other mechanism of GSS-API. */
const GSS_MECH_OID_KRB5 = 9

/** GSS_C_MUTUAL_FLAG, GSS_C_SEQUENCE_FLAG and GSS_C_INTEG_FLAG (RFC 2744): we want the server proved, and to wrap. */
const FLAGS = 2 | 8 | 32

/** The bit for "no security layer". RFC 4752, 3.3. */
const NO_LAYER = 1

/** One byte of layers and three of a size. RFC 4752, 3.1. */
const OFFER_SIZE = 4

// The package puts "no layer" into the first byte, keeps the rest as the size, which must be 0 without a layer, and
// appends the user. It reads eight bytes, as long as a C long is, though it needs four.
const ANSWER = Base64.encode(new Uint8Array(8))

// Java: SecurityUtils.getServerPrincipal.
const serviceOf = ({ host, service }: ServicePrincipal, hostname: string): string =>
  `${service}@${host === "_HOST" ? hostname.toLowerCase() : host}`

type Call = <A>(run: () => Promise<A>) => Effect.Effect<A, string>

/**
 * Runs what the package does one after another, and gives what it says when it fails. A call holds one of the few
 * threads that files and host names need too, for as long as a KDC does not answer; interrupting cannot end it.
 */
const oneByOne = (): Call => {
  let last: Promise<unknown> = Promise.resolve()
  return (run) =>
    Effect.tryPromise({
      try: (signal) => {
        const next = last.then(() => {
          signal.throwIfAborted()
          return run()
        })
        last = next.catch(() => undefined)
        return next
      },
      catch: (cause) => (cause instanceof Error ? cause.message : String(cause))
    })
}

const learn = (client: KerberosClient, service: string, call: Call): Mechanism => ({
  evaluate: (token) => {
    const said = Base64.encode(token)
    if (client.contextComplete) return negotiate(client, service, said, call)
    return call(() => client.step(said)).pipe(
      Effect.mapError((why) => (token.length === 0 ? notLoggedIn(service, why) : unproven(service, why))),
      // The last token of a context is the server's; it waits for an answer all the same.
      Effect.flatMap((answer) => bytes(answer ?? "")),
      Effect.map((answer) => ({ token: answer, complete: false }))
    )
  }
})

const negotiate = Effect.fnUntraced(function*(client: KerberosClient, service: string, said: string, call: Call) {
  // The package would take it for no token at all.
  if (said === "") return yield* malformed("it offered no security layer")
  const offer = yield* call(() => client.unwrap(said)).pipe(
    Effect.mapError((why) => unproven(service, why)),
    Effect.flatMap(bytes)
  )
  const [layers = 0] = offer
  if (offer.length !== OFFER_SIZE) return yield* malformed("what it offered as security layers has not four bytes")
  if ((layers & NO_LAYER) === 0) return yield* malformed("it insists on a security layer, qop auth-int or auth-conf")
  const answer = yield* call(() => client.wrap(ANSWER, { user: client.username ?? "" })).pipe(
    Effect.mapError((why) => notLoggedIn(service, why)),
    Effect.flatMap(bytes)
  )
  return { token: answer, complete: true }
})

// The package does not write what it could not read.
const bytes = (token: string) => Effect.orDie(Effect.fromResult(Base64.decode(token)))

const notLoggedIn = (service: string, said: string) =>
  new QuorumAuth.AuthError({
    reason: "AuthFailed",
    problem: `no ticket for ${service} from Kerberos: ${said}`,
    remedy: "the keytab must hold the present key of our principal, the KDC must answer and know both principals " +
      "(quorum.auth.kerberos.servicePrincipal names the server's), and the clocks must agree"
  })

const unproven = (service: string, said: string) =>
  new QuorumAuth.AuthError({
    reason: "UnprovenServer",
    problem: `it did not prove that it is ${service}: ${said}`,
    remedy: "its keytab must hold the present key of that principal; if it does, somebody else listens there"
  })

const malformed = (problem: string) =>
  new QuorumAuth.AuthError({ reason: "MalformedAuth", problem, remedy: "use GSSAPI with qop auth on both sides" })

const noServer = new QuorumAuth.AuthError({
  reason: "AuthUnavailable",
  problem: "with Kerberos this server authenticates where it dials, and can let nobody log in who dials it",
  remedy: "give it the largest id, or use DIGEST-MD5 on every server"
})
