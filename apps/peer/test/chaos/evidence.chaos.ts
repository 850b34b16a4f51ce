/** A lease is not waited for when its holder is known to be gone. */
import { assert, it } from "@effect/vitest"
import { onTestFinished } from "vitest"
import * as Ensemble from "./Ensemble.ts"
import * as Entry from "./Entry.ts"
import * as Network from "./Network.ts"
import * as Promises from "./Promises.ts"
import * as Rounds from "./Rounds.ts"

/** For leases longer than this test could ever wait by mistake. In ticks. */
const LIMIT = 600

it("nobody waits for the lease of a process that was killed", async () => {
  const promise = Promises.leased({ initLimit: LIMIT, syncLimit: 5 })
  // Elected at once: the new leader is followed before the old one is known to be gone.
  const timing = { ...promise.timing, finalizeWait: 1 }
  const ensemble = Ensemble.make(await Network.loopback(3), timing, null, true)
  onTestFinished(ensemble.close)
  await Rounds.begin(ensemble, promise)
  await Rounds.awaitAll(ensemble, promise)
  const killed = Entry.now()
  await ensemble.end([ensemble.leader() ?? 0n], "SIGKILL")
  const next = await ensemble.journal.until(timing.lease, (entries) =>
    entries.find(({ at, kind }) => kind === "start" && at > killed))
  assert.isDefined(next, ensemble.logs())
  assert.isBelow(next.at - killed, promise.bound)
  // Who ends has written all of its trace.
  await ensemble.end(ensemble.living(), "SIGTERM")
  assert.isAbove(ensemble.checkTraces(), 0)
})
