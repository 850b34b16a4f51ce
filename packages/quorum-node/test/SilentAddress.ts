/**
 * Addresses that swallow packets: who dials one is neither connected nor refused, as if the host were gone.
 *
 * Linux drops a SYN for a listener whose queue of accepted connections is full. So somebody listens who never accepts,
 * a thread of its own that sleeps, and the queue is filled before the address is given away. Other systems differ.
 */
import type { Address } from "@conclave/quorum/Transport"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { once } from "node:events"
import * as Net from "node:net"
import { Worker } from "node:worker_threads"

/** How long a dial must stay without an answer to count as swallowed; loopback answers in far below 1 ms. */
const SILENCE_MS = 200

/** More dials than the shortest queue of any kernel holds; Linux takes one more than the backlog of 1. */
const FILL_MAX = 8

/** What came of a dial. */
export type Answer = "connected" | "refused" | "silence"

/** Makes an address swallow packets until the scope closes. Dies where the system does not let it. */
export const make = Effect.fnUntraced(function*(address: Address): Effect.fn.Return<void, never, Scope.Scope> {
  yield* Effect.acquireRelease(
    Effect.promise(() => startListener(address)),
    (worker) => Effect.promise(() => worker.terminate())
  )
  for (let dials = 0; dials < FILL_MAX; dials++) {
    if ((yield* ask(address)) === "silence") return
  }
  return yield* Effect.die(new Error(`${address.host}:${address.port} still accepts after ${FILL_MAX} connections`))
})

/** Dials once and says what came of it; the socket stays as it is until the scope closes. */
export const ask = (address: Address): Effect.Effect<Answer, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => Net.connect(address)),
    (socket) => Effect.sync(() => socket.destroy())
  ).pipe(Effect.flatMap((socket) =>
    Effect.callback<Answer>((resume) => {
      socket.once("connect", () => resume(Effect.succeed("connected")))
      socket.on("error", () => resume(Effect.succeed("refused")))
    }).pipe(Effect.timeoutOrElse({ duration: SILENCE_MS, orElse: () => Effect.succeed<Answer>("silence") }))
  ))

const startListener = async (address: Address): Promise<Worker> => {
  const worker = new Worker(new URL("./silentListener.ts", import.meta.url), { workerData: address })
  await once(worker, "message")
  return worker
}
