/**
 * The classic stories of an ensemble, told by what is decided in them: `testdata`.
 *
 * `vitest run packages/core/test/Conversations.test.ts -u` writes down what is decided now, and the difference is
 * reviewed as any other. Without the switch a difference is a failure.
 */
import { describe, expect, it } from "@effect/vitest"
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as Commands from "./conversations/Commands.ts"
import * as LinkCommands from "./conversations/LinkCommands.ts"
import * as Script from "./conversations/Script.ts"

const root = join(import.meta.dirname, "testdata")

const folders = [
  { folder: "election", interpreter: Commands.interpreter },
  { folder: "leadership", interpreter: Commands.interpreter },
  { folder: "connections", interpreter: LinkCommands.interpreter }
]

describe.each(folders)("a conversation of $folder", ({ folder, interpreter }) => {
  it.each(globSync("*.txt", { cwd: join(root, folder) }).sort())("%s", async (name) => {
    const file = join(root, folder, name)
    const script = Script.parse(readFileSync(file, "utf8"))
    await expect(Script.perform(script, interpreter())).toMatchFileSnapshot(file)
  })
})
