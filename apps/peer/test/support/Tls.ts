/** Keys and certificates for the members of an ensemble, and the keys of `zoo.cfg` that name them. */
import { execFile } from "node:child_process"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import * as Certificates from "../../../../packages/quorum-node/test/Certificates.ts"
import * as Ports from "./Ports.ts"
import * as Workspace from "./Workspace.ts"
import type { Keys } from "./ZooCfg.ts"

/** Stores whose certificate speaks for `names`, by default for where everything here listens. */
export interface Stores {
  /** As PEM, without a password. */
  readonly pem: Keys
  /** As PKCS12, the passwords inline and in a file. */
  readonly pkcs12: Keys
}

const PASSWORD = "correct horse"

/** Stores as keytool makes them, PKCS12 by another name: a key on an elliptic curve, whose certificate is trusted. */
export const keytoolStores = async (): Promise<Keys> => {
  const directory = await Workspace.make()
  const file = (name: string) => join(directory, name)
  const keytool = (...args: ReadonlyArray<string>) =>
    promisify(execFile)("keytool", [...args, "-alias", "zoo", "-storepass", PASSWORD])
  const key = ["-keyalg", "EC", "-groupname", "secp256r1", "-dname", "CN=zoo", "-ext", `san=ip:${Ports.HOST}`]
  await keytool("-genkeypair", "-keystore", file("key.p12"), "-storetype", "PKCS12", ...key)
  await keytool("-exportcert", "-keystore", file("key.p12"), "-file", file("zoo.der"))
  await keytool("-importcert", "-noprompt", "-keystore", file("trust.jks"), "-file", file("zoo.der"))
  return {
    "ssl.quorum.keyStore.location": file("key.p12"),
    "ssl.quorum.keyStore.password": PASSWORD,
    "ssl.quorum.trustStore.location": file("trust.jks"),
    "ssl.quorum.trustStore.password": PASSWORD
  }
}

/** The authority that every store of these trusts. */
export const authority = Certificates.authority("the authority of these tests")

/** Makes the stores of one server. */
export const stores = async (terms: Certificates.Terms = {}, issuer = authority): Promise<Stores> => {
  const directory = await Workspace.make()
  const issued = Certificates.issue(issuer, { names: [`IP:${Ports.HOST}`], ...terms })
  const { keyStore, trustStore } = Certificates.write(directory, issued, authority)
  const file = (name: string) => join(directory, name)
  await writeFile(file("key.p12"), Certificates.pkcs12(issued.key, [issued.certificate], PASSWORD))
  await writeFile(file("trust.p12"), Certificates.pkcs12(null, [authority.certificate], PASSWORD))
  await writeFile(file("password"), `${PASSWORD}\n`)
  return {
    pem: { "ssl.quorum.keyStore.location": keyStore.location, "ssl.quorum.trustStore.location": trustStore.location },
    pkcs12: {
      "ssl.quorum.keyStore.location": file("key.p12"),
      "ssl.quorum.keyStore.password": PASSWORD,
      "ssl.quorum.trustStore.location": file("trust.p12"),
      "ssl.quorum.trustStore.passwordPath": file("password")
    }
  }
}
