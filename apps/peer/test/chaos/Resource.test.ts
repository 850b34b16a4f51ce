/** The resource protects itself. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { join } from "node:path"
import { onTestFinished } from "vitest"
import * as Workspace from "../support/Workspace.ts"
import * as Resource from "./Resource.ts"

it("a resource rejects whoever comes with a lower token than it has seen", async () => {
  const path = join(await Workspace.make(), "resource")
  const resource = await Resource.serve(path)
  onTestFinished(resource.close)
  const answers = Effect.gen(function*() {
    const old = yield* Resource.connect(path)
    const next = yield* Resource.connect(path)
    return [
      yield* old.write({ token: 1n, from: 3n }),
      yield* old.write({ token: 1n, from: 3n }),
      yield* next.write({ token: 2n, from: 2n }),
      yield* old.write({ token: 1n, from: 3n }),
      yield* next.write({ token: 2n, from: 2n })
    ]
  })
  assert.deepStrictEqual(await Effect.runPromise(Effect.scoped(answers)), [true, true, true, false, true])
  assert.deepStrictEqual(resource.decided[3], { token: 1n, from: 3n, accepted: false })
})
