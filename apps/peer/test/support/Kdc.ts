/**
 * A Kerberos realm of its own for a test: a KDC of MIT Kerberos on loopback, with its database, keytabs and
 * configuration in a temporary directory. Nothing of the machine's own Kerberos is read or changed.
 */
import { execFile } from "node:child_process"
import { access, writeFile } from "node:fs/promises"
import { connect } from "node:net"
import { delimiter, join } from "node:path"
import { once } from "node:events"
import { promisify } from "node:util"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as ZooKerberos from "../../src/ZooKerberos.ts"
import * as Child from "./Child.ts"
import * as Ports from "./Ports.ts"
import * as Transcript from "./Transcript.ts"
import * as Workspace from "./Workspace.ts"

/** A running KDC. */
export interface Kdc {
  /** The `krb5.conf` of its realm. */
  readonly conf: string
  /** What a process needs in its environment to be in that realm. */
  readonly env: { readonly KRB5_CONFIG: string; readonly KRB5RCACHEDIR: string }
  /** Makes a principal, with a random key, and a keytab that holds it. */
  readonly keyTab: (principal: string) => Promise<string>
  /** Gives a principal another key, and makes a keytab that holds no other. */
  readonly rekey: (principal: string) => Promise<string>
  /** Says when a principal expires: for one that has, there are no tickets. */
  readonly expire: (principal: string, when: "yesterday" | "never") => Promise<unknown>
}

/** The realm. */
export const REALM = "CONCLAVE.TEST"

const TIMEOUT_MS = 15_000

// Debian puts these where only root has them in the path.
const PATH = [process.env["PATH"], "/usr/sbin", "/sbin"].join(delimiter)

/** Why there can be no such test on this machine, and what to do; nothing where there can. */
export const missing = async (): Promise<string | undefined> => {
  try {
    await Promise.all(["krb5kdc", "kadmin.local", "kdb5_util"].map((name) => access(join("/usr/sbin", name))))
  } catch {
    return "there is no KDC: apt-get install -y --no-install-recommends krb5-kdc krb5-admin-server libgssapi-krb5-2"
  }
  const library = await Effect.runPromise(Effect.result(Effect.scoped(ZooKerberos.load)))
  return Result.isFailure(library) ? library.failure.message : undefined
}

// No names are asked of DNS: the hosts here are addresses, and Java, too, takes them as they are written.
const krb5Conf = (port: number) =>
  `[libdefaults]
  default_realm = ${REALM}
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
  udp_preference_limit = 1
[realms]
  ${REALM} = {
    kdc = ${Ports.HOST}:${port}
  }
`

const kdcConf = (port: number, directory: string) =>
  `[kdcdefaults]
  kdc_listen = ${Ports.HOST}:${port}
  kdc_tcp_listen = ${Ports.HOST}:${port}
[realms]
  ${REALM} = {
    database_name = ${directory}/principal
    key_stash_file = ${directory}/stash
    acl_file = ${directory}/acl
  }
`

const answers = async (port: number): Promise<true | undefined> => {
  const socket = connect({ host: Ports.HOST, port })
  try {
    await once(socket, "connect")
    return true
  } catch {
    return undefined
  } finally {
    socket.destroy()
  }
}

/** Starts a KDC, which ends with the running test, and waits until it listens. */
export const start = async (): Promise<Kdc> => {
  const directory = await Workspace.make()
  const [port = 0] = await Ports.free(1)
  const conf = join(directory, "krb5.conf")
  const profile = join(directory, "kdc.conf")
  await writeFile(conf, krb5Conf(port))
  await writeFile(profile, kdcConf(port, directory))
  const env = { ...process.env, PATH, KRB5_CONFIG: conf, KRB5_KDC_PROFILE: profile }
  const run = (file: string, ...args: ReadonlyArray<string>) => promisify(execFile)(file, args, { env })
  await run("kdb5_util", "create", "-s", "-P", "master")
  const administer = (query: string) => run("kadmin.local", "-q", query)
  // This makes a new key each time.
  const extract = async (principal: string, suffix = "") => {
    const file = join(directory, `${principal.replaceAll(/[^\w.]/g, "-")}.keytab${suffix}`)
    await administer(`ktadd -k ${file} ${principal}`)
    await access(file)
    return file
  }
  const kdc = Child.start({ label: "KDC", file: "krb5kdc", args: ["-n"], env })
  await Transcript.poll("the KDC listens", [kdc.stdout, kdc.stderr], TIMEOUT_MS, () => answers(port))
  return {
    conf,
    env: { KRB5_CONFIG: conf, KRB5RCACHEDIR: directory },
    keyTab: async (principal) => {
      await administer(`addprinc -randkey ${principal}`)
      return extract(principal)
    },
    rekey: (principal) => extract(principal, ".new"),
    expire: (principal, when) => administer(`modprinc -expire ${when} ${principal}`)
  }
}
