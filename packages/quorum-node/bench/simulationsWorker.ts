/** Measures one kind of simulation, and posts its figures. */
import { parentPort, workerData } from "node:worker_threads"
import * as Elections from "../../testkit/bench/elections.ts"

parentPort?.postMessage(Elections.kinds[workerData as Elections.Kind]())
