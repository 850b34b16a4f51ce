/** SASL authentication between servers. */
export * as DigestMd5 from "./DigestMd5.ts"
export * as Gssapi from "./Gssapi.ts"
export * as Jaas from "./Jaas.ts"
export * as KerberosLogin from "./KerberosLogin.ts"
export * as Mechanism from "./Mechanism.ts"
export * as SaslAuth from "./SaslAuth.ts"
export * as SaslLogin from "./SaslLogin.ts"
