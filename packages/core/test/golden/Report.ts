/**
 * A difference in words: what led to it, what was wanted, what was got, and what
 * the original was about.
 */
import type { Difference } from "./Replay.ts"
import type * as Trace from "./Trace.ts"

/** How many steps before the difference are told. */
const STEPS_BEFORE = 4

/** The trace up to the step that differs. */
export const render = (
  trace: Trace.Trace,
  { at, differences }: { readonly at: number; readonly differences: ReadonlyArray<Difference> }
): string => {
  const where = at < 0 ? "from the start" : `at step ${at}`
  const lines = [`${trace.id ?? "a trace without id"} (${trace.profile ?? "no profile"}) differs ${where}`]
  // A trace that is broken enough to fail may be too broken to be told.
  const tell = (text: () => string): void => {
    try {
      lines.push(text())
    } catch {
      lines.push("  (not readable)")
    }
  }
  tell(() => peerText(trace))
  for (let i = Math.max(0, at - STEPS_BEFORE); i <= at; i++) {
    tell(() => `  ${i}: ${inputText(trace, trace.steps[i]!.in)}`)
    tell(() => `     recorded: ${outcomeText(trace.steps[i]!.out)}`)
    tell(() => `     why: ${trace.steps[i]!.out.why?.join(" ") ?? "not told"}`)
  }
  for (const { got, want, what } of differences) lines.push(`  ${what}`, `    want ${want}`, `    got  ${got}`)
  return lines.join("\n")
}

const peerText = ({ blobs, config }: Trace.Trace): string => {
  const quorum = (blobs[config.quorum.text] ?? "").replaceAll("\n", "  ")
  return `  I am ${config.myid}, ${config.learnerType}, zxid ${config.lastLoggedZxid}, epoch ${config.currentEpoch}, ` +
    `loopback ${config.loopback}; ${quorum}`
}

const states = ["LOOKING", "FOLLOWING", "LEADING", "OBSERVING"]

const inputText = (trace: Trace.Trace, input: Trace.Input): string => {
  switch (input.op) {
    case "deliver": {
      const bytes = Buffer.from(input.hex, "hex")
      const size = bytes.length + Buffer.byteLength(input.cfg === undefined ? "" : trace.blobs[input.cfg] ?? "")
      const from = `from ${input.from}, ${size} bytes`
      if (bytes.length < 28) return `${from}: ${input.hex}`
      const code = bytes.readInt32BE(0)
      const [leader, zxid, round] = [4, 12, 20].map((offset) => bytes.readBigInt64BE(offset))
      const peerEpoch = bytes.length < 36 ? "" : ` peerEpoch=${bytes.readBigInt64BE(28)}`
      const state = states[code] ?? `state ${code}`
      return `${from}: ${state} leader=${leader} zxid=${zxid} electionEpoch=${round}${peerEpoch}`
    }
    case "idle":
      return `silence, ${input.delivered ? "something" : "nothing"} delivered`
    case "establish":
      return `established, epoch ${input.epoch ?? "as before"}, zxid ${input.zxid ?? "as before"}`
    default:
      return input.op
  }
}

const outcomeText = ({ clock, proposal, returned, sent, state, waiting }: Trace.Outcome): string => {
  const parts = [`${state} clock=${clock} proposal=(${proposal.leader}, ${proposal.zxid}, ${proposal.peerEpoch})`]
  if (waiting !== null) parts.push(`waits ${waiting.kind} ${waiting.ms} ms`)
  for (const { electionEpoch, leader, peerEpoch, state, to, zxid } of sent) {
    parts.push(`sent ${state} (${leader}, ${zxid}, ${peerEpoch}) of round ${electionEpoch} to ${to.join(", ")}`)
  }
  if (returned !== null) parts.push(`returned ${JSON.stringify(returned.threw ?? returned.vote)}`)
  return parts.join("; ")
}
