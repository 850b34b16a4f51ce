/**
 * One member of the ensemble, as its `server.N` line describes it.
 *
 * Java: `QuorumPeer.QuorumServer`.
 */
import * as Address from "./Address.ts"
import type { Sid } from "./Sid.ts"

/** Does the member vote? Java: `QuorumPeer.LearnerType`. */
export type LearnerType = "participant" | "observer"

/** One of the addresses of a member; more than one needs `multiAddress.enabled`. */
export interface ServerAddress {
  readonly host: string
  readonly quorumPort: number
  readonly electionPort: number
}

/** A member: its id, its role, where it listens, and the client address its own line names. */
export interface QuorumServer {
  readonly sid: Sid
  readonly role: LearnerType
  readonly addresses: ReadonlyArray<ServerAddress>
  readonly clientAddress: Address.Address | null
}

/** A member at one address, for tests and programmatic use. */
export const make = (
  sid: Sid,
  address: ServerAddress,
  role: LearnerType = "participant"
): QuorumServer => ({ sid, role, addresses: [address], clientAddress: null })

/** The election addresses, in the order of the line. */
export const electionAddresses = (server: QuorumServer): ReadonlyArray<Address.Address> =>
  server.addresses.map(({ electionPort, host }) => ({ host, port: electionPort }))

/** The quorum addresses, where a leader waits for learners, in the order of the line. */
export const quorumAddresses = (server: QuorumServer): ReadonlyArray<Address.Address> =>
  server.addresses.map(({ host, quorumPort }) => ({ host, port: quorumPort }))

/**
 * The value of the `server.N` line, as ZooKeeper prints it: the role always,
 * the client part only if the line had one, several addresses sorted by host.
 * Java: QuorumServer.toString.
 */
export const format = (server: QuorumServer): string => {
  const list = server.addresses
    .toSorted((self, that) => self.host < that.host ? -1 : self.host > that.host ? 1 : 0)
    .map(({ electionPort, host, quorumPort }) => `${Address.formatHost(host)}:${quorumPort}:${electionPort}`)
    .join("|")
  const client = server.clientAddress === null ? "" : `;${Address.format(server.clientAddress)}`
  return `${list}:${server.role}${client}`
}

/** Do two entries describe the same member? Compares what is printed, whatever the order of the addresses. */
export const equals = (self: QuorumServer, that: QuorumServer): boolean =>
  self.sid === that.sid && format(self) === format(that)
