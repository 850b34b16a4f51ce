/**
 * How we log in with Kerberos: as whom, and where the key or the ticket is. From a
 * login configuration as ZooKeeper has it, whose sections are both of this kind:
 *
 *     QuorumLearner {
 *       com.sun.security.auth.module.Krb5LoginModule required
 *       useKeyTab=true
 *       keyTab="/etc/zookeeper/learner.keytab"
 *       principal="learner/zk1.example.com@EXAMPLE.COM";
 *     };
 *
 * The server's section is the same, with the principal as which others know us.
 */
import * as Result from "effect/Result"
import * as Jaas from "./Jaas.ts"
import type { Contexts } from "./SaslLogin.ts"

/** Who we are where we dial. */
export interface Initiator {
  /** `learner/zk1.example.com@EXAMPLE.COM`; `null` for whom the ticket cache is of. */
  readonly principal: string | null
  /** The file with our key; `null` without one. */
  readonly keyTab: string | null
  /** Is there a cache that `kinit` fills? Otherwise tickets are kept in memory. */
  readonly useTicketCache: boolean
}

/** Who we are where we are dialled. */
export interface Acceptor {
  /** `zkquorum/zk1.example.com@EXAMPLE.COM`. */
  readonly principal: string
  /** The file with our key. */
  readonly keyTab: string
}

/** How we log in, and what others log in to. */
export interface KerberosLogin {
  readonly learner: Initiator
  readonly server: Acceptor
  /** Where the sections begin. */
  readonly at: { readonly learner: Jaas.Position; readonly server: Jaas.Position }
}

/**
 * The login in the text of a login configuration; `null` where neither section is
 * one of Kerberos. Java would let each section have its own mechanism; here both
 * have the same.
 */
export const fromJaas = (
  text: string,
  file: string,
  contexts: Contexts
): Result.Result<KerberosLogin | null, Jaas.InvalidJaas> =>
  Result.gen(function*() {
    const jaas = yield* Jaas.parse(text, file)
    const learner = moduleOf(jaas, contexts.learner)
    const server = moduleOf(jaas, contexts.server)
    const either = learner ?? server
    if (either === undefined) return null
    if (learner === undefined || server === undefined) {
      const other = learner === undefined ? contexts.learner : contexts.server
      const problem = `only one section is of Kerberos, and ${other} is not`
      return yield* Jaas.refuse(file, either.at, problem, `write the same login module into ${other}`)
    }
    for (const { at, options } of [learner, server]) {
      const unknown = Array.from(options.keys()).find((name) => !OPTIONS.has(name))
      if (unknown === undefined) continue
      return yield* Jaas.refuse(file, at, `the option ${unknown} has no meaning here`, `leave out ${unknown}`)
    }
    return {
      learner: yield* initiator(learner, file),
      server: yield* acceptor(server, file),
      at: { learner: learner.at, server: server.at }
    }
  })

// From storeKey on they mean something to Java alone: we ask nobody, and read keys anew instead of keeping them. A
// server has no tickets.
const OPTIONS = new Set([
  "useKeyTab",
  "keyTab",
  "principal",
  "useTicketCache",
  "storeKey",
  "doNotPrompt",
  "debug",
  "refreshKrb5Config",
  "renewTGT",
  "isInitiator"
])

const moduleOf = (jaas: Jaas.Jaas, section: string) =>
  jaas.get(section)?.find(({ name }) => name.endsWith(".Krb5LoginModule"))

const isOn = ({ options }: Jaas.LoginModule, name: string): boolean => options.get(name)?.toLowerCase() === "true"

const initiator = (module: Jaas.LoginModule, file: string): Result.Result<Initiator, Jaas.InvalidJaas> => {
  const useTicketCache = isOn(module, "useTicketCache")
  if (isOn(module, "useKeyTab")) {
    return Result.map(keyOf(module, file, "learner"), (key) => ({ ...key, useTicketCache }))
  }
  const principal = module.options.get("principal") || null
  return useTicketCache
    ? Result.succeed({ principal, keyTab: null, useTicketCache })
    : noKey(module, file, `${useKeyTab("learner")}, or useTicketCache=true`)
}

const acceptor = (module: Jaas.LoginModule, file: string): Result.Result<Acceptor, Jaas.InvalidJaas> =>
  isOn(module, "useKeyTab") ? keyOf(module, file, "server") : noKey(module, file, useKeyTab("server"))

const useKeyTab = (side: string) => `write useKeyTab=true ${keyTabOf(side)}`

const keyTabOf = (side: string) => `keyTab="/etc/zookeeper/${side}.keytab"`

const noKey = ({ at }: Jaas.LoginModule, file: string, remedy: string) =>
  Jaas.refuse(file, at, "there is nothing to log in with", remedy)

const keyOf = ({ at, options }: Jaas.LoginModule, file: string, side: "learner" | "server") =>
  Result.gen(function*() {
    // As Java, which takes the name of a keytab with its type.
    const keyTab = options.get("keyTab")?.replace(/^file:/i, "") || null
    if (keyTab === null) return yield* Jaas.refuse(file, at, "keyTab is not set", `write ${keyTabOf(side)}`)
    const principal = options.get("principal") || null
    if (principal === null) {
      const example = side === "learner" ? "learner/host@REALM" : "zkquorum/host@REALM"
      return yield* Jaas.refuse(file, at, "principal is not set", `write principal="${example}"`)
    }
    return { principal, keyTab }
  })
