/** What is written down is what is read. */
import { assert, it } from "@effect/vitest"
import { onTestFinished } from "vitest"
import { join } from "node:path"
import * as Workspace from "../support/Workspace.ts"
import type * as Entry from "./Entry.ts"
import * as Journal from "./Journal.ts"

const entries: ReadonlyArray<Entry.Entry> = [
  { kind: "fault", at: 1.5, what: "kill 3", able: [1n, 2n] },
  { kind: "status", at: 2, sid: 1n, process: 4, state: "LOOKING", epoch: null, leader: null, reason: "Searching" },
  { kind: "status", at: 3, sid: 1n, process: 4, state: "LEADING", epoch: 7n, leader: 1n, reason: "" },
  { kind: "beat", at: 4, sid: 1n, process: 4, epoch: 7n }
]

it("a journal gives what several wrote to it, in the order of writing", async () => {
  const file = join(await Workspace.make(), "journal")
  const [one, two] = [Journal.open(file), Journal.open(file)]
  onTestFinished(() => [one, two].forEach(({ close }) => close()))
  const first = entries.slice(0, 1)
  first.forEach(one.append)
  assert.deepStrictEqual(two.entries(), first)
  entries.slice(1).forEach(two.append)
  assert.deepStrictEqual(one.entries(), entries)
})

it("a journal tells when what is waited for does not come", async () => {
  const journal = Journal.open(join(await Workspace.make(), "journal"))
  onTestFinished(journal.close)
  assert.isUndefined(await journal.until(1, () => undefined))
})
