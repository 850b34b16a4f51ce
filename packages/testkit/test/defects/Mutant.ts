/**
 * A copy of the core with one thing changed, loaded beside the core.
 */
import { mkdtempSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { stripTypeScriptTypes } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { pathToFileURL } from "node:url"
import { type Reducers, shipped } from "../../src/Reducers.ts"
import type { Defect } from "./Defects.ts"

const core = join(import.meta.dirname, "..", "..", "..", "core")

/** The reducers with this defect. Throws if the text that it changes is not there, or not only once. */
export const load = async (defect: Defect): Promise<Reducers> => {
  const folder = mkdtempSync(join(tmpdir(), "conclave-mutant-"))
  try {
    write(folder, defect)
    const modules = Object.keys(shipped).map(async (name) => {
      const url = pathToFileURL(join(folder, "src", `${name}.js`)).href
      return [name, await import(/* @vite-ignore */ url)]
    })
    return Object.fromEntries(await Promise.all(modules)) as Reducers
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const write = (folder: string, { file, instead, name, text }: Defect): void => {
  symlinkSync(join(core, "node_modules"), join(folder, "node_modules"))
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }))
  for (const path of readdirSync(join(core, "src"), { recursive: true, encoding: "utf8" })) {
    if (!path.endsWith(".ts")) continue
    const source = readFileSync(join(core, "src", path), "utf8")
    const parts = path === file ? source.split(text) : [source]
    if (path === file && parts.length !== 2) {
      throw new Error(`"${name}": its text is ${parts.length - 1} times in ${file}`)
    }
    const target = join(folder, "src", path.replace(/\.ts$/, ".js"))
    mkdirSync(dirname(target), { recursive: true })
    const script = stripTypeScriptTypes(parts.join(instead)).replaceAll(/(from "\.[^"]*)\.ts"/g, "$1.js\"")
    writeFileSync(target, script)
  }
}
