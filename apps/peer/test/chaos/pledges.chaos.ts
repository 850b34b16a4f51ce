/** A pledge binds a server, not the process that gave it. */
import { assert, it } from "@effect/vitest"
import { onTestFinished } from "vitest"
import * as Ensemble from "./Ensemble.ts"
import * as Entry from "./Entry.ts"
import * as Network from "./Network.ts"
import * as Promises from "./Promises.ts"
import * as Rounds from "./Rounds.ts"

/** For leases so long that waiting for one is unlike anything else. In ticks. */
const LIMIT = 80

const obstacle = Network.obstacle()
if (obstacle !== null) console.warn(`left out: pledges of processes that are gone\n  ${obstacle}`)

it.skipIf(obstacle !== null)("servers that start again wait for the lease they may have granted", async () => {
  const patient = Promises.leased({ initLimit: LIMIT, syncLimit: LIMIT })
  const { lease } = patient.timing
  const promise = { ...patient, bound: patient.bound + lease }
  const network = Network.namespaces(3)
  onTestFinished(network.close)
  const ensemble = Ensemble.make(network, promise.timing, null, true)
  onTestFinished(ensemble.close)
  await Rounds.begin(ensemble, promise)
  await Rounds.awaitAll(ensemble, promise)
  const old = ensemble.leader() ?? assert.fail("nobody leads")
  const others = ensemble.sids.filter((sid) => sid !== old)
  // The leader works on by the lease that these two have granted, and they cannot know how long.
  ensemble.part(`parted: ${old}`, (from, to) => from !== old && to !== old)
  await ensemble.end(others, "SIGKILL")
  const restarted = Entry.now()
  await ensemble.start(others)
  await Rounds.awaitLeader(ensemble, promise)
  Rounds.verify(ensemble, promise)
  const after = ensemble.journal.entries().filter(({ at, kind }) => kind !== "fault" && at > restarted)
  const up = after.find((entry) => entry.kind === "status" && entry.sid !== old)
  const next = after.find(({ kind }) => kind === "start")
  assert.isDefined(up)
  assert.isDefined(next)
  // They count from a moment before they say that they are up, and that may have been a while on a busy machine.
  assert.isAbove(next.at - up.at, lease / 2)
  assert.isAbove(ensemble.checkTraces(), 0)
})
