/** A connection in memory: two pipes, and the two ends that hold it. */
import * as Address from "@conclave/core/Address"
import * as Effect from "effect/Effect"
import type * as Transport from "../Transport.ts"
import * as MemoryPipe from "./MemoryPipe.ts"

/** What one side holds of a connection. */
export interface End {
  readonly connection: Transport.Connection
  /** Lets go of the connection; what was written still arrives. */
  readonly close: () => void
}

/** A connection between two ends. */
export interface MemoryLink {
  readonly from: Address.Address
  readonly to: Address.Address
  readonly dialer: End
  readonly acceptor: End
  /** The ends that have not let go. */
  readonly held: ReadonlySet<End>
  /** Both ends fail at once. */
  readonly reset: () => void
  /** Moves what the faults let pass. */
  readonly flow: () => void
}

/** Connects two addresses. `fault` tells what happens from one to the other; `onClose` runs when an end lets go. */
export const make = (options: {
  readonly from: Address.Address
  readonly to: Address.Address
  readonly fault: (from: Address.Address, to: Address.Address) => MemoryPipe.Fault | undefined
  readonly travel: (from: Address.Address, to: Address.Address) => MemoryPipe.Travel
  readonly onClose: (link: MemoryLink) => void
}): MemoryLink => {
  const { fault, from, to, travel } = options
  const held = new Set<End>()
  // Whoever has learned that the far end is closed cannot write to it any more.
  const outgoing: MemoryPipe.MemoryPipe = MemoryPipe.make({
    fault: () => fault(from, to),
    travel: travel(from, to),
    onEnd: () => incoming.refuse()
  })
  const incoming: MemoryPipe.MemoryPipe = MemoryPipe.make({
    fault: () => fault(to, from),
    travel: travel(to, from),
    onEnd: () => outgoing.refuse()
  })
  const makeEnd = (read: MemoryPipe.MemoryPipe, write: MemoryPipe.MemoryPipe, remote: Address.Address): End => {
    const end: End = {
      connection: {
        pull: read.pull,
        write: write.write,
        identify: () => Effect.void,
        remote: Address.format(remote)
      },
      close: () => {
        if (!held.delete(end)) return
        read.endReading()
        write.endWriting()
        options.onClose(link)
      }
    }
    held.add(end)
    return end
  }
  const link: MemoryLink = {
    from,
    to,
    held,
    dialer: makeEnd(incoming, outgoing, to),
    acceptor: makeEnd(outgoing, incoming, from),
    reset: () => {
      outgoing.reset()
      incoming.reset()
    },
    flow: () => {
      outgoing.flow()
      incoming.flow()
    }
  }
  return link
}
