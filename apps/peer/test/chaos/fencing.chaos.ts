/** A resource that checks tokens is safe from a leader that was stopped and does not know that it leads no more. */
import { assert, it } from "@effect/vitest"
import { join } from "node:path"
import { onTestFinished } from "vitest"
import * as Workspace from "../support/Workspace.ts"
import * as Ensemble from "./Ensemble.ts"
import * as Network from "./Network.ts"
import * as Promises from "./Promises.ts"
import * as Resource from "./Resource.ts"
import * as Rounds from "./Rounds.ts"

const REPETITIONS = 2

it("a stopped leader that runs on is rejected, whatever it writes", async () => {
  const path = join(await Workspace.make(), "resource")
  const resource = await Resource.serve(path)
  onTestFinished(resource.close)
  const promise = Promises.of("fenced")
  const ensemble = Ensemble.make(await Network.loopback(3), promise.timing, path, true)
  onTestFinished(ensemble.close)
  const until = async (what: string, accept: (write: Resource.Decided) => boolean, from: number) => {
    const found = await ensemble.journal.until(promise.bound, () => resource.decided.slice(from).find(accept))
    return found ?? assert.fail(`not within ${promise.bound} ms: ${what}\n${ensemble.logs()}`)
  }

  await Rounds.begin(ensemble, promise)
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    await Rounds.awaitAll(ensemble, promise)
    const old = await until("a write of the leader", ({ accepted }) => accepted, resource.decided.length)
    ensemble.stop([old.from])
    const next = await until(
      "a write of the next leader",
      ({ accepted, from }) => accepted && from !== old.from,
      resource.decided.length
    )
    assert.isTrue(next.token > old.token)
    const stopped = resource.decided.length
    ensemble.proceed([old.from])
    const late = await until("a write of the old leader", ({ token }) => token === old.token, stopped)
    assert.isFalse(late.accepted)
  }
  // Nobody but a stale leader is ever rejected, and what was accepted never goes back.
  Rounds.verify(ensemble, promise)
  const tokens = resource.decided.filter(({ accepted }) => accepted).map(({ token }) => token)
  assert.deepStrictEqual(tokens, tokens.toSorted((self, that) => Number(self - that)))
  const leading = new Set(tokens)
  assert.isTrue(resource.decided.every(({ accepted, token }) => accepted || leading.has(token)))
  assert.isAbove(ensemble.checkTraces(), 0)
})
