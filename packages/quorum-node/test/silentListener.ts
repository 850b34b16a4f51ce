/** The thread of `SilentAddress`: listens, says so, and sleeps before it could accept anybody. */
import { createServer } from "node:net"
import { parentPort, workerData } from "node:worker_threads"

createServer().listen({ ...workerData, backlog: 1 }, () => {
  parentPort?.postMessage("listening")
  // Blocks the whole thread, and with it the event loop that would accept.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
})
