/**
 * Login configurations (JAAS) for the members of an ensemble; real servers and ours are given the same kind of file.
 */
import { writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
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
