/** The Node transports of `@conclave/quorum`. */
export * as NodeConnection from "./NodeConnection.ts"
export * as NodeListener from "./NodeListener.ts"
export * as NodeTransport from "./NodeTransport.ts"
