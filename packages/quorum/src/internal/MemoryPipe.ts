/**
 * One direction of a memory connection: bytes in transit, then bytes that have
 * arrived, and how each end fails.
 *
 * What happens between the two is decided by the fault on the link, asked anew
 * for every move; the pipe keeps order and the bound.
 */
import * as Effect from "effect/Effect"
import * as Socket from "effect/socket/Socket"
import * as Signal from "./Signal.ts"

/** Bytes a pipe holds before `write` waits: 64 KiB, the high-water mark of a Node socket. One write may pass it. */
export const PIPE_LIMIT = 65536

/**
 * What a link does to the bytes on it. `Held`: they wait, in order. `Dropped`:
 * they vanish as they are written. `Cut`: as `Held`, and no dial gets through.
 */
export type Fault = "Held" | "Dropped" | "Cut"

/** Calls back once something sent now has got to the far end, which takes no time unless a test wants it to. */
export type Travel = (arrive: () => void) => void

/** One direction of a connection. */
export interface MemoryPipe {
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, Socket.SocketError>
  readonly pull: Effect.Effect<ReadonlyArray<Uint8Array>, Socket.SocketError>
  /** The writer hangs up: the reader learns it after the bytes before it. */
  readonly endWriting: () => void
  /** The reader hangs up: what arrived is forgotten, as is all that still comes. */
  readonly endReading: () => void
  /** Writing fails from now on. */
  readonly refuse: () => void
  /** Both ends fail now, and bytes on the way are lost. */
  readonly reset: () => void
  /** Moves what the fault lets pass; to be called when the fault changes. */
  readonly flow: () => void
}

interface Parcel {
  readonly bytes: Uint8Array
  /** At the far end, if the fault lets it in. */
  isThere: boolean
}

/** An empty pipe over a link with the given fault; `onEnd` runs when the writer's end has reached the reader. */
export const make = (options: {
  readonly fault: () => Fault | undefined
  readonly travel: Travel
  readonly onEnd: () => void
}): MemoryPipe => {
  const { fault, onEnd, travel } = options
  const signal = Signal.make()
  const transit: Array<Parcel> = []
  const arrived: Array<Uint8Array> = []
  let size = 0
  let isEndThere = false
  let readEnd: Socket.SocketError | undefined
  let writeEnd: Socket.SocketError | undefined

  const empty = (): ReadonlyArray<Uint8Array> => {
    const taken = arrived.splice(0)
    for (const bytes of taken) size -= bytes.length
    return taken
  }
  const land = () => {
    while (transit[0]?.isThere) arrived.push(transit.shift()!.bytes)
    if (readEnd !== undefined) empty()
  }
  const flow = () => {
    const now = fault()
    if (now === "Held" || now === "Cut") return
    land()
    if (isEndThere && transit.length === 0 && readEnd === undefined) {
      readEnd = closed(1000)
      onEnd()
    }
    signal.wake()
  }
  const pull: MemoryPipe["pull"] = Effect.andThen(
    signal.until(() => arrived.length > 0 || readEnd !== undefined),
    Effect.suspend(() => {
      if (arrived.length === 0) return readEnd === undefined ? pull : Effect.fail(readEnd)
      const taken = empty()
      signal.wake()
      return Effect.succeed(taken)
    })
  )
  return {
    pull,
    write: (bytes) =>
      Effect.andThen(
        signal.until(() => size < PIPE_LIMIT || writeEnd !== undefined),
        Effect.suspend(() => {
          if (writeEnd !== undefined) return Effect.fail(writeEnd)
          if (bytes.length === 0 || fault() === "Dropped") return Effect.void
          // A copy, as a network makes one: the two ends share no memory.
          const parcel: Parcel = { bytes: bytes.slice(), isThere: false }
          transit.push(parcel)
          size += bytes.length
          travel(() => {
            parcel.isThere = true
            flow()
          })
          return Effect.void
        })
      ),
    endWriting: () => {
      writeEnd ??= broken("closed on this side")
      travel(() => {
        isEndThere = true
        flow()
      })
      signal.wake()
    },
    endReading: () => {
      readEnd ??= closed(1006)
      empty()
      signal.wake()
    },
    refuse: () => {
      writeEnd ??= broken("closed by the far end")
      signal.wake()
    },
    reset: () => {
      const cause = new Error("connection reset")
      readEnd ??= new Socket.SocketError({ reason: new Socket.SocketReadError({ cause }) })
      writeEnd ??= broken("connection reset")
      for (const parcel of transit) parcel.isThere = true
      land()
      signal.wake()
    },
    flow
  }
}

const closed = (code: number) => new Socket.SocketError({ reason: new Socket.SocketCloseError({ code }) })

const broken = (problem: string) =>
  new Socket.SocketError({ reason: new Socket.SocketWriteError({ cause: new Error(problem) }) })
