/**
 * Login configurations (JAAS) for the members of an ensemble; real servers and ours are given the same kind of file.
 */
import { writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import * as Kdc from "./Kdc.ts"
import type { ZooCfg } from "./ZooCfg.ts"

/** Every key of `quorum.auth` that is on at this step of a roll-out. */
export const keysOf = (step: "enabled" | "learner" | "server"): Record<string, boolean> => ({
  "quorum.auth.enableSasl": true,
  "quorum.auth.learnerRequireSasl": step !== "enabled",
  "quorum.auth.serverRequireSasl": step === "server"
})

/** With umlauts, a check mark and a quote, because Java and we must digest the same bytes of them. */
export const PASSWORD = "geh\u00e4\u2713\"im"

const quote = (text: string): string => `"${text.replaceAll(/["\\]/g, "\\$&")}"`

/** Writes a file beside the `zoo.cfg`, in which every server is user alice, and logs in with this password. */
export const write = async (cfg: ZooCfg, password = PASSWORD): Promise<string> => {
  const file = join(dirname(cfg.file), "jaas.conf")
  const module = "org.apache.zookeeper.server.auth.DigestLoginModule required"
  const lines = [
    `QuorumServer { ${module} user_alice=${quote(PASSWORD)}; };`,
    `QuorumLearner { ${module} username="alice" password=${quote(password)}; };`,
    ""
  ]
  await writeFile(file, lines.join("\n"))
  return file
}

/** With Kerberos, as whom somebody logs in where it dials, and as whom it is known where it is dialled. */
export interface Principals {
  readonly learner: string
  readonly server: string
}

/** Those of a server at this host. */
export const principalsOf = (host: string): Principals => ({ learner: `learner/${host}`, server: `zkquorum/${host}` })

/** The key that lets each server be known by its own host. */
export const SERVICE = { "quorum.auth.kerberos.servicePrincipal": "zkquorum/_HOST" }

/** Writes a file beside the `zoo.cfg` with a keytab for each principal. */
export const writeKerberos = async (kdc: Kdc.Kdc, cfg: ZooCfg, { learner, server }: Principals): Promise<string> => {
  const section = (name: string, principal: string, keyTab: string) =>
    `${name} { com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true ` +
    `useTicketCache=false keyTab=${quote(keyTab)} principal=${quote(`${principal}@${Kdc.REALM}`)}; };`
  const file = join(dirname(cfg.file), "jaas.conf")
  const sections = [
    section("QuorumServer", server, await kdc.keyTab(server)),
    section("QuorumLearner", learner, await kdc.keyTab(learner))
  ]
  await writeFile(file, `${sections.join("\n")}\n`)
  return file
}
