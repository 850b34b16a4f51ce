/**
 * What a trace tells, for people: each election with who won and why, who changed its
 * mind because of whom, who was late, how long it took, what came of it, and why it
 * ended.
 */
import * as Explain from "./Explain.ts"
import * as Elections from "./internal/traceElections.ts"
import type * as Trace from "./Trace.ts"

/** How much is told. */
export interface Options {
  /** The troubles of connections, too. */
  readonly verbose: boolean
  /** What else is known to have happened, told among the rest. */
  readonly notes?: ReadonlyArray<Note>
}

/** Something that no trace tells. */
export interface Note {
  /** Milliseconds since 1970, as in a trace. */
  readonly wall: number
  readonly text: string
}

/** The lines of several traces as one, by the wall clock; the lines of each stay in their order, whatever that does. */
export const merge = (traces: ReadonlyArray<ReadonlyArray<Trace.Line>>): ReadonlyArray<Trace.Line> =>
  traces.flatMap((trace) => {
    let wall = 0
    return trace.map((line) => {
      if (line._tag !== "Trace") wall = Math.max(wall, line.wall)
      return { line, wall }
    })
  }).sort((self, that) => self.wall - that.wall).map(({ line }) => line)

/** The story of lines in order of time, one sentence a line. Tells nothing of a trace without elections. */
export const tell = (lines: ReadonlyArray<Trace.Line>, options: Options): ReadonlyArray<string> => {
  const { terms, vain } = Elections.collect(lines)
  const told: Array<Told> = [
    ...(options.notes ?? []).map(noted),
    ...terms.map((term) => ({ wall: term.began.wall, text: termOf(term) })),
    ...vain.map((search) => ({ wall: search.began.wall, text: vainOf(search) })),
    ...lines.flatMap((line) => noteOf(line, options))
  ]
  return told.sort((self, that) => self.wall - that.wall).flatMap(({ text }) => text)
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

interface Told {
  readonly wall: number
  readonly text: ReadonlyArray<string>
}

const termOf = ({ began, leader, news, searches }: Elections.Term): ReadonlyArray<string> => {
  const first = mostTelling(searches)
  const quick = searches.filter((search) => !isLate(search, began))
  const late = searches.filter((search) => isLate(search, began))
  const minds = searches.flatMap(({ minds, sid }) =>
    minds.map((mind) => `server ${sid} changed its mind ${Explain.adopted(mind)}`)
  )
  const took = quick.map((search) => {
    const { sid, decision: { state, vote } } = search
    return `server ${sid}: ${state} in round ${vote.electionEpoch} after ${tookOf(search)}`
  })
  return [
    `${clock(began.wall)} election of server ${leader}`,
    ...section("why", [Explain.elected(first.decision.vote, first.decision.reason)]),
    ...section("minds", minds),
    ...section("took", took),
    ...section("late", late.map((search) => lateOf(search, began))),
    ...section("then", news.map(({ sid, text, time }) => `${after(time, began)} server ${sid}: ${text}`))
  ]
}

// Each tells what it heard. Who heard of another candidate knows on what ground it lost.
const mostTelling = (searches: Elections.Term["searches"]) =>
  searches.find(({ decision: { reason } }) => reason._tag === "Quorum" && reason.runnerUp !== null) ?? searches[0]!

// Who began when others had decided. Who is told of a successor need not look.
const isLate = ({ began, decision }: Elections.Term["searches"][number], first: Elections.Time): boolean =>
  began.wall > first.wall && decision.reason._tag !== "Designated"

const lateOf = (search: Elections.Term["searches"][number], first: Elections.Time): string => {
  const { decision, sid } = search
  const lag = Explain.millis(search.began.wall - first.wall)
  return `server ${sid} began to look ${lag} after the first decision, and is ` +
    `${decision.state} after ${tookOf(search)}: ${Explain.elected(decision.vote, decision.reason)}`
}

const tookOf = ({ began, decision: { time }, firstVote, quorum }: Elections.Term["searches"][number]): string => {
  const elapsed = time.ms - began.ms
  return Explain.took(elapsed, {
    firstVote,
    quorum: quorum === null ? null : quorum - (firstVote ?? 0),
    finalize: quorum === null ? null : elapsed - quorum
  })
}

const vainOf = ({ began, minds, notJoined, sid }: Elections.Search): ReadonlyArray<string> => [
  `${clock(began.wall)} server ${sid} looked, and decided for nobody`,
  ...section("minds", minds.map((mind) => `changed its mind ${Explain.adopted(mind)}`)),
  ...section("why", notJoined === null ? [] : [Explain.notJoined(notJoined)])
]

const noteOf = (line: Trace.Line, { verbose }: Options): ReadonlyArray<Told> => {
  if (line._tag === "Trace") return []
  const note = (text: string) => noted({ wall: line.wall, text })
  if (line._tag === "Lost") return [note(`${line.lines} lines are missing in a trace here`)]
  if (line._tag === "Start") return line.reducer === "election" ? [note(`server ${line.sid} starts`)] : []
  const { sid } = line
  if (line.reducer === "election") return line.outputs.flatMap((output) => configOf(sid, output).map(note))
  return line.reducer === "connections" && verbose ? troublesOf(line).map(note) : []
}

const noted = ({ text, wall }: Note): Told => ({ wall, text: [`${clock(wall)} ${text}`] })

const configOf = (sid: bigint, output: Trace.Outputs["election"]): ReadonlyArray<string> => {
  if (output._tag === "AdoptConfig") return [`server ${sid}: ${Explain.configAdopted(sid, output)}`]
  const refused = output._tag === "ConfigSeen" ? Explain.configRefused(output) : null
  return refused === null ? [] : [`server ${sid}: ${refused}`]
}

const troublesOf = ({ event, outputs, sid }: Trace.StepOf<"connections">): ReadonlyArray<string> => {
  const gone = event._tag === "Closed" && outputs.length > 0 ? [`lost its connection with server ${event.sid}`] : []
  const others = outputs.flatMap((output) => {
    if (output._tag === "NoAddress") return [`nothing says where server ${output.sid} is`]
    if (output._tag === "RedialLater" && event._tag === "DialFailed") {
      return [`could not connect with server ${output.sid}, ${output.failures} times in a row`]
    }
    const trouble = output._tag === "Close" ? Explain.linkTrouble(output.reason) : null
    return output._tag === "Close" && trouble !== null ? [`let server ${output.sid} go: ${trouble}`] : []
  })
  return [...gone, ...others].map((text) => `server ${sid} ${text}`)
}

const section = (name: string, lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.map((line, index) => `  ${(index === 0 ? name : "").padEnd(6)}${line}`)

const after = (time: Elections.Time, began: Elections.Time): string =>
  `+${Explain.millis(time.wall - began.wall)}`

const clock = (wall: number): string => {
  const part = (unit: number, limit: number, width: number) =>
    `${Math.floor(wall / unit) % limit}`.padStart(width, "0")
  return `${part(3_600_000, 24, 2)}:${part(60_000, 60, 2)}:${part(1_000, 60, 2)}.${part(1, 1_000, 3)}`
}
