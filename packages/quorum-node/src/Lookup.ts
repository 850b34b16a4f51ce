/** What host names resolve to. */
import * as Effect from "effect/Effect"
import * as Dns from "node:dns"
import type { LookupFunction } from "node:net"

/** Every address of a name, in the resolver's order; fails if there is none, as Node does (`ENOTFOUND`). */
export const all = (
  host: string,
  lookup: LookupFunction = Dns.lookup
): Effect.Effect<ReadonlyArray<string>, NodeJS.ErrnoException> =>
  Effect.callback((resume) =>
    lookup(host, { all: true }, (error, found) => {
      if (error !== null) return resume(Effect.fail(error))
      const addresses = typeof found === "string" ? [found] : found.map(({ address }) => address)
      resume(addresses.length > 0 ? Effect.succeed(addresses) : Effect.fail(nothingFound(host)))
    }))

const nothingFound = (host: string) => Object.assign(new Error(`${host} resolves to nothing`), { code: "ENOTFOUND" })
