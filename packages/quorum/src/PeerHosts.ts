/**
 * Where a peer may be: the hosts one of which it must prove to be at, if the
 * transport proves anything.
 */
import * as Address from "@conclave/core/Address"
import * as Connections from "@conclave/core/Connections"
import type { InitialMessage } from "@conclave/core/InitialMessage"
import type { Membership } from "@conclave/core/Ensemble"
import type { Sid } from "@conclave/core/Sid"
import * as Result from "effect/Result"
import type { Connection } from "./Transport.ts"

/** Of whom we have dialled at these addresses: a member is where the configuration has it, a stranger there. */
export const ofDialed = (
  membership: Membership,
  sid: Sid,
  dialed: ReadonlyArray<Address.Address>
): ReadonlyArray<string> => {
  const configured = Connections.addressesOf(membership, sid)
  return (configured.length > 0 ? configured : dialed).map(({ host }) => host)
}

/**
 * Of who has dialled us: a member is where the configuration has it, whatever it
 * says itself; a stranger at an address that it has named, or where it comes from.
 */
export const ofCaller = (
  membership: Membership,
  { addresses, sid }: Pick<InitialMessage, "addresses" | "sid">,
  { remote }: Connection
): ReadonlyArray<string> => {
  const host = hostOf(remote)
  return ofDialed(membership, sid, host === null ? addresses : [...addresses, { host, port: 0 }])
}

/** The host of a far end, `host:port`; `null` if it has none. */
export const hostOf = (remote: string): string | null =>
  Result.match(Address.split(remote), { onFailure: () => null, onSuccess: ([host = null]) => host })
