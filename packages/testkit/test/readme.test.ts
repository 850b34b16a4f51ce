import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { join } from "node:path"

const read = (...path: ReadonlyArray<string>) => readFileSync(join(import.meta.dirname, ...path), "utf8")

describe("the README", () => {
  it("prints the example that is run here", () => {
    const section = read("..", "README.md").split("## An ensemble for the tests of a service\n")[1]
    const [, printed] = /```ts\n([\s\S]*?)```/.exec(section ?? "") ?? []
    assert.strictEqual(printed, read("ScheduledJob.test.ts"))
  })
})
