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
 * Of the server's section nothing is used: see `Gssapi` for why nobody can log in
 * here with Kerberos.
 */
import * as Result from "effect/Result"
import * as Jaas from "./Jaas.ts"
import type { Contexts } from "./SaslLogin.ts"

/** Who we are to others. */
export interface KerberosLogin {
  /** `learner/zk1.example.com@EXAMPLE.COM`; `null` for whom the ticket cache is of. */
  readonly principal: string | null
  /** The file with our key; `null` without one. */
  readonly keyTab: string | null
  /** Is there a cache that `kinit` fills? Otherwise tickets are kept in memory. */
  readonly useTicketCache: boolean
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
    const unknown = Array.from(learner.options.keys()).find((name) => !OPTIONS.has(name))
    if (unknown !== undefined) {
      return yield* Jaas.refuse(file, learner.at, `the option ${unknown} has no meaning here`, `leave out ${unknown}`)
    }
    return { ...(yield* loginOf(learner, file)), at: { learner: learner.at, server: server.at } }
  })

// From storeKey on they mean something to Java alone: we ask nobody, and read keys anew instead of keeping them.
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

const loginOf = ({ at, options }: Jaas.LoginModule, file: string) =>
  Result.gen(function*() {
    const isOn = (name: string) => options.get(name)?.toLowerCase() === "true"
    const useTicketCache = isOn("useTicketCache")
    const principal = options.get("principal") || null
    if (!isOn("useKeyTab")) {
      return useTicketCache
        ? { principal, keyTab: null, useTicketCache }
        : yield* Jaas.refuse(
          file,
          at,
          "there is nothing to log in with",
          "write useKeyTab=true keyTab=\"/etc/zookeeper/learner.keytab\", or useTicketCache=true"
        )
    }
    // As Java, which takes the name of a keytab with its type.
    const keyTab = options.get("keyTab")?.replace(/^file:/i, "") || null
    if (keyTab === null) {
      return yield* Jaas.refuse(file, at, "keyTab is not set", "write keyTab=\"/etc/zookeeper/learner.keytab\"")
    }
    if (principal === null) {
      return yield* Jaas.refuse(file, at, "principal is not set", "write principal=\"learner/host@REALM\"")
    }
    return { principal, keyTab, useTicketCache }
  })
