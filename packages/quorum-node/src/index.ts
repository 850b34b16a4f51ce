/** The Node transports of `@conclave/quorum`. */
export * as NodeLeadership from "./NodeLeadership.ts"
export * as NodeConnection from "./NodeConnection.ts"
export * as NodeListener from "./NodeListener.ts"
export * as KeyStore from "./KeyStore.ts"
export * as NodeTransport from "./NodeTransport.ts"
export * as TlsOptions from "./TlsOptions.ts"
