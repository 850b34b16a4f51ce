/**
 * PKCS12, of which Node itself reads key stores only, and would trust every
 * certificate that stands beside a key.
 */
import Forge from "node-forge"
import type { Contents } from "./KeyStore.ts"

/** What a store holds. Throws if it is none, or if the password is another. */
export const open = (bytes: Buffer, password: string): Contents => {
  const { asn1, pkcs12, pki } = Forge
  const { keyBag, certBag, pkcs8ShroudedKeyBag } = pki.oids
  const store = pkcs12.pkcs12FromAsn1(asn1.fromDer(bytes.toString("latin1")), password)
  const bags = store.safeContents.flatMap(({ safeBags }) => safeBags)
  const of = (...types: ReadonlyArray<string | undefined>) => bags.filter(({ type }) => types.includes(type))
  return {
    type: "PKCS12",
    keys: of(keyBag, pkcs8ShroudedKeyBag).map((bag) => pem("PRIVATE KEY", derOf(keyInfoOf(bag)))),
    certificates: of(certBag).map(({ asn1, cert }) =>
      pem("CERTIFICATE", derOf(cert ? pki.certificateToAsn1(cert) : asn1)))
  }
}

// Of keys and certificates that are not RSA the library gives what they consist of, which is all that is needed.
const keyInfoOf = ({ asn1, key }: Forge.pkcs12.Bag): Forge.asn1.Asn1 =>
  key ? Forge.pki.wrapRsaPrivateKey(Forge.pki.privateKeyToAsn1(key)) : asn1

const derOf = (value: Forge.asn1.Asn1): Buffer => Buffer.from(Forge.asn1.toDer(value).getBytes(), "latin1")

const pem = (label: string, der: Buffer): string =>
  `-----BEGIN ${label}-----\n${der.toString("base64").replace(/.{64}/g, "$&\n")}\n-----END ${label}-----\n`
