/**
 * Replays a file of golden traces against the core.
 *
 *     node packages/core/test/golden/main.ts FILE [--show N]
 *
 * FILE holds one trace per line, gzipped or not. The first N differing traces
 * (3 unless told) are printed in detail. Exit status: 0 all agree, 1 some
 * differ, 2 wrong usage or a file that cannot be read.
 */
import { parseArgs } from "node:util"
import { createPeer } from "./adapter.ts"
import { replay } from "./Replay.ts"
import * as Report from "./Report.ts"
import * as Trace from "./Trace.ts"

const USAGE = "usage: node packages/core/test/golden/main.ts FILE [--show N]"

const EXIT_DIFFERS = 1
const EXIT_TROUBLE = 2

type Print = (line: string) => void

const readArguments = (args: ReadonlyArray<string>): { readonly file: string; readonly show: number } | string => {
  try {
    const { positionals, values } = parseArgs({
      args: Array.from(args),
      options: { show: { type: "string", default: "3" } },
      allowPositionals: true
    })
    const [file, ...more] = positionals
    if (file === undefined || more.length > 0) return "exactly one file is needed"
    if (!/^\d+$/.test(values.show)) return `--show wants a number, not ${values.show}`
    return { file, show: Number(values.show) }
  } catch (error) {
    return (error as Error).message
  }
}

/** The command: its arguments, where it prints, and its exit status. */
export const main = async (args: ReadonlyArray<string>, print: Print, complain: Print): Promise<number> => {
  const fail = (problem: string): number => {
    complain(problem)
    return EXIT_TROUBLE
  }
  const parsed = readArguments(args)
  if (typeof parsed === "string") return fail(`${parsed}\n${USAGE}`)
  const { file, show } = parsed
  let traces = 0
  let agreeing = 0
  let shown = 0
  try {
    for await (const trace of Trace.read(file)) {
      traces++
      const verdict = replay(trace, createPeer)
      if (verdict.agrees) agreeing++
      else if (shown < show) {
        shown++
        print(`${Report.render(trace, verdict)}\n`)
      }
    }
  } catch (error) {
    return fail(`cannot read ${file}: ${(error as Error).message}`)
  }
  if (traces === 0) return fail(`cannot read ${file}: it holds no traces`)
  const hidden = traces - agreeing - shown
  if (hidden > 0) print(`${hidden} more traces differ; --show N shows N of them\n`)
  print(`${agreeing} of ${traces} traces agree`)
  return agreeing === traces ? 0 : EXIT_DIFFERS
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2), console.log, console.error)
