/**
 * Processes that start and end, and what becomes of their connections.
 */
import * as Bundles from "./Bundles.ts"
import type { Machine } from "./Machine.ts"
import * as Words from "./Words.ts"

/** A process starts, with its host if that was gone: then the host says of its old connections that they are over. */
export const start = (machine: Machine, words: Words.Words, peer: number): void => {
  words[Words.peerAt(peer)] = machine.peers.fresh(peer, "Up")
  eachEnd(machine, words, peer, ({ stage }) => (stage === "Vanished" ? { stage: "Closed" } : null))
}

/** A process ends, and its host closes its connections. */
export const crash = (machine: Machine, words: Words.Words, peer: number): void => {
  Words.spend(words, "crashes")
  end(machine, words, peer, "Closed")
  words[Words.peerAt(peer)] = machine.peers.fresh(peer, "Down")
}

/** A host is gone: nobody learns of it until it is back. */
export const vanish = (machine: Machine, words: Words.Words, peer: number): void => {
  Words.spend(words, "outages")
  end(machine, words, peer, "Vanished")
  words[Words.peerAt(peer)] = machine.peers.fresh(peer, "Gone")
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const end = (machine: Machine, words: Words.Words, peer: number, stage: "Closed" | "Vanished"): void => {
  eachEnd(machine, words, peer, (end) => (Bundles.isOver(end) ? null : { stage, spoke: Bundles.isAtWork(end) }))
  for (let other = 0; other < machine.layout.peers; other++) {
    Words.forgive(words, peer, other)
    Words.forgive(words, other, peer)
  }
}

// Where an end of a process is gone the connection is as good as broken, once that can be known.
const eachEnd = (
  { bundles, layout }: Machine,
  words: Words.Words,
  peer: number,
  change: (end: Bundles.End) => Partial<Bundles.End> | null
): void => {
  const changed = (connection: Bundles.Connection, side: Bundles.Side): Bundles.Connection => {
    const self = Bundles.end(connection, side)
    const changes = self.peer === peer ? change(self) : null
    if (changes === null) return connection
    const isBroken = connection.isBroken || changes.stage === "Closed"
    return { ...Bundles.withEnd(connection, side, changes), isBroken }
  }
  for (const [number, ends] of layout.ends.entries()) {
    if (!ends.includes(peer)) continue
    const at = Words.bundleAt(layout, number)
    const bundle = bundles.get(words[at]!)
    words[at] = bundles.id(bundle.map((connection) => changed(changed(connection, "Near"), "Far")))
  }
}
