/**
 * Rules that a machine can check, checked on the text of the sources.
 */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, globSync, readFileSync } from "node:fs"
import { dirname, join, relative } from "node:path"

const root = join(import.meta.dirname, "..", "..", "..")

const LINES_MAX = 300
const COLUMNS_MAX = 120

/** Source files that may be longer; one at most, and none if it can be helped. */
const longer: ReadonlyArray<string> = []

/** What is started or imported from outside, and therefore by nobody here. */
const entryPoints: ReadonlyArray<RegExp> = [/^packages\/[^/]+\/src\/index\.ts$/, /^apps\/[^/]+\/src\/main\.ts$/]

interface Source {
  /** From the root, with slashes. */
  readonly path: string
  readonly text: string
  readonly lines: ReadonlyArray<string>
}

const readSources = (pattern: string): ReadonlyArray<Source> =>
  globSync(pattern, { cwd: root }).sort().map((path) => {
    const text = readFileSync(join(root, path), "utf8")
    return { path, text, lines: text.replace(/\n$/, "").split("\n") }
  })

const sources = readSources("{packages,apps}/*/src/**/*.ts")

const within = (folder: string): ReadonlyArray<Source> => {
  const found = sources.filter(({ path }) => path.startsWith(`${folder}/`))
  assert.isNotEmpty(found, `${folder} holds no sources`)
  return found
}

/** `path:line problem` for each line at fault. */
const inLines = (
  files: ReadonlyArray<Source>,
  fault: (line: string, index: number, source: Source) => string | undefined
): ReadonlyArray<string> =>
  files.flatMap((source) =>
    source.lines.flatMap((line, index) => {
      const problem = fault(line, index, source)
      return problem === undefined ? [] : [`${source.path}:${index + 1} ${problem}`]
    })
  )

/** The module names that a text imports or re-exports. */
const imports = (text: string): ReadonlyArray<string> =>
  [/^(?:import|export)\s[^"=]*?\sfrom "([^"]+)"/gm, /^import "([^"]+)"/gm, /\bimport\("([^"]+)"\)/g].flatMap((form) =>
    Array.from(text.matchAll(form), ([, name]) => name!)
  )

const badImports = (folder: string, allowed: (name: string) => boolean): ReadonlyArray<string> =>
  within(folder).flatMap(({ path, text }) =>
    imports(text).filter((name) => !allowed(name)).map((name) => `${path} imports ${name}`)
  )

/** The line as code: without its comment and what its strings say. */
const codeOf = (line: string): string =>
  /^\s*(\*|\/\*)/.test(line) ? "" : line.replaceAll(/"(\\.|[^"\\])*"/g, "\"\"").replace(/\/\/.*/, "")

const impure = /\b(Date|Math\.random|setTimeout|setInterval|console|process|performance|async|await)\b/

const none = (problems: ReadonlyArray<string>): void => assert.deepStrictEqual(problems, [])

describe("packages", () => {
  it("core imports itself and data modules of effect", () => {
    none(badImports("packages/core/src", (name) =>
      name.startsWith("./") || name.startsWith("../") ||
      /^effect\/(Result|Option|Order|Schema|SchemaTransformation)$/.test(name)))
  })

  it("core knows no clock, no chance, no output and no machine", () => {
    none(inLines(within("packages/core/src"), (line) => impure.exec(codeOf(line))?.[0]))
  })

  it("quorum imports nothing of Node", () => {
    none(badImports("packages/quorum/src", (name) => !/^node:|^@effect\/platform/.test(name)))
  })

  it("testkit's simulator imports the core and data modules of effect: everything comes from a seed", () => {
    const isAllowed = (name: string) =>
      /^\.\.?\//.test(name) || name.startsWith("@conclave/core/") || /^effect\/(Result|Schema)$/.test(name)
    const isOfEnsemble = (problem: string) => /^\S+\/(internal\/ensemble\/\w+|TestEnsemble)\.ts /.test(problem)
    none(badImports("packages/testkit/src", isAllowed).filter((problem) => !isOfEnsemble(problem)))
  })

  it("testkit imports nothing of Node", () => {
    none(badImports("packages/testkit/src", (name) => !/^node:|^@effect\/platform/.test(name)))
  })

  it("testkit knows no clock, no chance, no output and no machine", () => {
    none(inLines(within("packages/testkit/src"), (line) => impure.exec(codeOf(line))?.[0]))
  })

  it("quorum-sasl imports nothing of Node", () => {
    none(badImports("packages/quorum-sasl/src", (name) => !/^node:|^@effect\/platform/.test(name)))
  })

  it("quorum-node imports nothing of core: it decides nothing", () => {
    none(badImports("packages/quorum-node/src", (name) => !name.startsWith("@conclave/core")))
  })
})

describe("files", () => {
  it(`have at most ${LINES_MAX} lines`, () => {
    assert.isAtMost(longer.length, 1)
    const long = sources.filter(({ lines, path }) => lines.length > LINES_MAX && !longer.includes(path))
    none(long.map(({ lines, path }) => `${path} has ${lines.length}`))
    none(longer.filter((path) => !sources.some((file) => file.path === path && file.lines.length > LINES_MAX)))
  })

  it(`have lines of at most ${COLUMNS_MAX} columns, without blanks at their ends`, () => {
    none(inLines([...sources, ...readSources("{packages,apps}/*/{test,bench}/**/*.ts")], (line) => {
      if (line.length > COLUMNS_MAX) return `has ${line.length} columns`
      return /\s$/.test(line) ? "ends in a blank" : undefined
    }))
  })

  it("are each imported by another, but for the entry points", () => {
    const all = readSources("{packages,apps}/*/{src,bin}/**/*.{ts,js,mjs}")
    const imported = new Set(all.flatMap(({ path, text }) => imports(text).map((name) => resolve(path, name))))
    const outside = [...entryPoints, ...exported()]
    const paths = sources.map(({ path }) => path)
    none(paths.filter((path) => !imported.has(path) && !outside.some((own) => own.test(path))))
  })
})

describe("this test", () => {
  it("sees every form of import", () => {
    const text = [
      "import * as A from \"./a.ts\"",
      "import {",
      "  b",
      "} from \"b\"",
      "import type { C } from \"c\"",
      "import \"d\"",
      "export * from \"e\"",
      "export const f = \"./not\"",
      "const g = await import(\"g\")"
    ]
    assert.deepStrictEqual(imports(text.join("\n")).toSorted(), ["./a.ts", "b", "c", "d", "e", "g"])
  })

  it("sees code and not what is said about it", () => {
    const lines = [" * Date of a Date", "const a = \"Date\" // Date", "const b = Date.now()"]
    assert.deepStrictEqual(lines.map(codeOf), ["", "const a = \"\" ", "const b = Date.now()"])
  })
})

describe("exports", () => {
  it("are each introduced by a docstring", () => {
    none(inLines(sources, (line, index, { lines }) => {
      const name = /^export (?:async )?(?:const|class|interface|type|function\*?) (\w+)/.exec(line)?.[1]
      if (name === undefined || /\bfrom "/.test(line)) return undefined
      // Overloads and a type beside its value share what stands before the first.
      const before = lines.slice(0, index).findLast((text) => text !== "")
      const shared = lines.slice(0, index).some((text) => new RegExp(`^export .*\\b${name}\\b`).test(text))
      return before?.endsWith("*/") || shared ? undefined : `${name} has no docstring`
    }))
  })
})

/** The file that a module name means, from the root; names of other packages are left as they are. */
const resolve = (from: string, name: string): string => {
  if (name.startsWith(".")) return relative(root, join(root, dirname(from), name)).replaceAll("\\", "/")
  const module = /^@conclave\/([^/]+)\/(.+)$/.exec(name)
  if (module === null) return name
  const file = `packages/${module[1]}/src/${module[2]}.ts`
  return existsSync(join(root, file)) ? file : name
}

/** Files that a manifest names as its exports, one by one. */
const exported = (): ReadonlyArray<RegExp> =>
  readdirPackages().flatMap(({ folder, manifest }) =>
    Object.values(manifest.exports ?? {}).flatMap((target) =>
      typeof target === "string" && !target.includes("*")
        ? [new RegExp(`^${`${folder}/${target.replace(/^\.\//, "")}`.replaceAll(".", "\\.")}$`)]
        : []
    )
  )

const readdirPackages = () =>
  globSync("{packages,apps}/*/package.json", { cwd: root }).map((path) => ({
    folder: dirname(path),
    manifest: JSON.parse(readFileSync(join(root, path), "utf8")) as { readonly exports?: Record<string, unknown> }
  }))
