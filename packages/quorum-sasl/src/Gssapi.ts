/**
 * GSSAPI (Kerberos): a context between both sides, then the agreement that nothing
 * is wrapped afterwards (qop auth).
 *
 *     learner                          server
 *     AP-REQ                        ▶
 *                                    ◀ AP-REP, which proves the server
 *     empty                         ▶
 *                                    ◀ wrapped: layers it has, largest size
 *     wrapped: no layer, 0, who     ▶
 *                                    ◀ nothing, with SUCCESS
 *
 * Who is let in, once it has proved who it is: a service of a host that is in the
 * configuration.
 *
 * RFC 4752, 3. Java: `com.sun.security.sasl.gsskerb.GssKrb5Client`, `GssKrb5Server`.
 */
import type { Membership } from "@conclave/core/Ensemble"
import * as QuorumAuth from "@conclave/quorum/QuorumAuth"
import * as QuorumConfig from "@conclave/quorum/QuorumConfig"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Gss, GssContext, GssError } from "./Gss.ts"
import type { Acceptor, KerberosLogin } from "./KerberosLogin.ts"
import type { Evaluated, Mechanism, Mechanisms } from "./Mechanism.ts"
import * as SaslAuth from "./SaslAuth.ts"

/** A service that servers are known as. */
export interface ServicePrincipal {
  readonly service: string
  /** `_HOST` for the host name of whom we dial. */
  readonly host: string
}

/** Who we are, who the servers are, and who may dial us. */
export interface Principals extends Pick<KerberosLogin, "learner" | "server"> {
  readonly servicePrincipal: ServicePrincipal
  /** The hosts whose principals are let in. */
  readonly hosts: ReadonlyArray<string>
}

/** Both sides. */
export const make = (gss: Gss, { hosts, learner, server, servicePrincipal }: Principals): Mechanisms => ({
  learner: (hostname) => {
    const service = serviceOf(servicePrincipal, hostname)
    return gss.initiate(learner, service).pipe(
      Effect.mapError((error) => notLoggedIn(service, error)),
      Effect.map((context) => ({ hasInitialResponse: true, ...learn(context, service) }))
    )
  },
  server: gss.accept(server).pipe(
    Effect.mapError((error) => keyUnavailable(server, error)),
    Effect.map((context) => serve(context, server, new Set(hosts.map(lower))))
  )
})

/** Kerberos, which lets in whose host is in the configuration at the start. */
export const layer = (
  requirements: SaslAuth.Requirements,
  gss: Gss,
  principals: Omit<Principals, "hosts">
): Layer.Layer<never, never, QuorumConfig.QuorumConfig> =>
  Layer.effect(
    QuorumAuth.QuorumAuth,
    Effect.map(QuorumConfig.QuorumConfig, ({ membership }) =>
      SaslAuth.make(requirements, make(gss, { ...principals, hosts: hostsOf(membership) })))
  )

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

/** The bit for "no security layer". RFC 4752, 3.3. */
const NO_LAYER = 1

/** One byte of layers and three of a size. RFC 4752, 3.1. */
const LAYERS_SIZE = 4

/** No layer and, as without one there is nothing to receive, a size of 0. RFC 4752, 3.1 and 3.2. */
const ONLY_NO_LAYER = Uint8Array.of(NO_LAYER, 0, 0, 0)

// Java: SecurityUtils.getServerPrincipal.
const serviceOf = ({ host, service }: ServicePrincipal, hostname: string): string =>
  `${service}@${host === "_HOST" ? lower(hostname) : host}`

const lower = (host: string): string => host.toLowerCase()

// Java: QuorumPeer.initialize, authzHosts. It keeps one host of several that a server has.
const hostsOf = ({ committed, lastSeen }: Membership): ReadonlyArray<string> =>
  [committed, lastSeen].flatMap(({ servers }) =>
    Array.from(servers.values()).flatMap(({ addresses }) => addresses.map(({ host }) => host)))

// -----------------------------------------------------------------------------
// who dials
// -----------------------------------------------------------------------------

const learn = (context: GssContext, service: string): Mechanism => {
  let [begun, complete] = [false, false]
  return {
    evaluate: (token) =>
      complete ? agree(context, service, token) : context.step(token).pipe(
        Effect.mapError((error) => (begun ? unproven(service, error) : notLoggedIn(service, error))),
        Effect.map((stepped) => {
          begun = true
          complete = stepped.complete
          // The last token of a context is the server's; it waits for an answer all the same.
          return { token: stepped.token, complete: false }
        })
      )
  }
}

const agree = Effect.fnUntraced(function*(context: GssContext, service: string, token: Uint8Array) {
  const offer = yield* Effect.mapError(context.unwrap(token), (error) => unproven(service, error))
  const [layers = 0] = offer
  if (offer.length !== LAYERS_SIZE) {
    return yield* malformed("what it offered as security layers has not four bytes")
  }
  if ((layers & NO_LAYER) === 0) return yield* malformed("it insists on a security layer, qop auth-int or auth-conf")
  const answer = yield* context.initiator.pipe(
    Effect.flatMap((user) => context.wrap(Uint8Array.of(...ONLY_NO_LAYER, ...new TextEncoder().encode(user)))),
    Effect.mapError((error) => notLoggedIn(service, error))
  )
  return { token: answer, complete: true }
})

const notLoggedIn = (service: string, { said }: GssError) =>
  new QuorumAuth.AuthError({
    reason: "AuthFailed",
    problem: `no ticket for ${service} from Kerberos: ${said}`,
    remedy: "the keytab must hold the present key of our principal, the KDC must answer and know both principals " +
      "(quorum.auth.kerberos.servicePrincipal names the server's), and the clocks must agree"
  })

const unproven = (service: string, { said }: GssError) =>
  new QuorumAuth.AuthError({
    reason: "UnprovenServer",
    problem: `it did not prove that it is ${service}: ${said}`,
    remedy: "its keytab must hold the present key of that principal; if it does, somebody else listens there"
  })

// -----------------------------------------------------------------------------
// who is dialled
// -----------------------------------------------------------------------------

const serve = (context: GssContext, login: Acceptor, hosts: ReadonlySet<string>): Mechanism => {
  type Next = "Context" | "Empty" | "Answer"
  let next: Next = "Context"
  const then = (following: Next) => (token: Uint8Array): Evaluated => {
    next = following
    return { token, complete: false }
  }
  const offer = Effect.map(Effect.orDie(context.wrap(ONLY_NO_LAYER)), then("Answer"))
  const step = (token: Uint8Array) =>
    context.step(token).pipe(
      Effect.mapError((error) => refused(login, error)),
      Effect.flatMap((stepped) => {
        if (!stepped.complete) return Effect.succeed(then("Context")(stepped.token))
        // Who did not ask us for a proof gets none, and has nothing to answer.
        return stepped.token.length === 0 ? offer : Effect.succeed(then("Empty")(stepped.token))
      })
    )
  return {
    evaluate: (token) => {
      switch (next) {
        case "Context":
          return token.length === 0 ? Effect.fail(malformed(NO_TICKET)) : step(token)
        case "Empty":
          return token.length === 0 ? offer : Effect.fail(malformed("it had something to say to our proof"))
        case "Answer":
          return Effect.as(authorize(context, token, hosts), { token: null, complete: true })
      }
    }
  }
}

const NO_TICKET = "it sent no ticket (who logs in with DIGEST-MD5 begins like that)"

// Java: SaslQuorumServerCallbackHandler.handleAuthorizeCallback. 3.8.0 lets in whose principal has not three parts,
// CVE-2023-44981.
const authorize = Effect.fnUntraced(function*(context: GssContext, token: Uint8Array, hosts: ReadonlySet<string>) {
  const answer = yield* Effect.mapError(context.unwrap(token), ({ said }) => malformed(`its answer is broken: ${said}`))
  const [layer] = answer
  if (answer.length < LAYERS_SIZE) return yield* malformed("what it chose as security layer has not four bytes")
  if (layer !== NO_LAYER) return yield* malformed("it chose a security layer, and we offered none")
  const user = yield* Effect.mapError(context.initiator, ({ said }) => malformed(`it has no name: ${said}`))
  const wanted = new TextDecoder().decode(answer.subarray(LAYERS_SIZE)) || user
  if (wanted !== user) return yield* notLetIn(`${user} wants to be ${JSON.stringify(wanted)}`, "let it be who it is")
  const [, host] = THREE_PARTS.exec(user) ?? []
  if (host === undefined) return yield* notLetIn(`${user} is no principal of three parts`, OF_A_HOST)
  if (!hosts.has(lower(host))) return yield* notLetIn(`${user} is of ${host}, which is no host of ours`, OF_A_HOST)
})

// Without a backslash: with it an "/" or "@" would be part of a name.
const THREE_PARTS = /^[^/@\\]+\/([^/@\\]+)@[^/@\\]+$/

const OF_A_HOST = "servers log in as service/host@REALM, with a host as the configuration here writes it (server.N)"

const notLetIn = (problem: string, remedy: string) =>
  new QuorumAuth.AuthError({ reason: "WrongCredentials", problem, remedy })

const refused = (login: Acceptor, error: GssError) => {
  switch (error.reason) {
    case "DefectiveToken":
      return malformed(`what it sent is no ticket: ${error.said}`)
    case "NoKey":
      return unreadable(login, error)
    default:
      return notLetIn(`it did not prove who it is: ${error.said}`, "its ticket must be valid, and clocks must agree")
  }
}

const keyUnavailable = ({ keyTab, principal }: Acceptor, { said }: GssError) =>
  new QuorumAuth.AuthError({
    reason: "AuthUnavailable",
    problem: `our own key, that of ${principal}, cannot be had from ${keyTab}: ${said}`,
    remedy: "write it there with ktadd of kadmin"
  })

const unreadable = ({ keyTab, principal }: Acceptor, { said }: GssError) =>
  new QuorumAuth.AuthError({
    reason: "AuthUnavailable",
    problem: `its ticket is not for our key, that of ${principal} in ${keyTab}: ${said}`,
    remedy: "the keytab must hold the present key (ktadd of kadmin writes it), and " +
      "quorum.auth.kerberos.servicePrincipal of who dials must name that principal"
  })

const malformed = (problem: string) =>
  new QuorumAuth.AuthError({ reason: "MalformedAuth", problem, remedy: "use GSSAPI with qop auth on both sides" })
