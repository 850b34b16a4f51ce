/**
 * What a process has said so far, line by line, and the one way to wait for it to say something.
 *
 * A test never sleeps: it names what it waits for and how long at most, and the condition is looked at again after
 * every line. When the time is up the error carries the last lines of every transcript that was watched.
 */
import { setTimeout as delay } from "node:timers/promises"

/** The lines a process printed on one of its streams. */
export interface Transcript {
  readonly label: string
  readonly lines: ReadonlyArray<string>
  readonly append: (line: string) => void
  /** Calls back after every line until the returned function is called. */
  readonly subscribe: (listener: () => void) => () => void
}

const TAIL_LINES = 25

// Between two questions to a server that offers nothing to subscribe to.
const POLL_INTERVAL_MS = 50

/** An empty transcript; the label says in error messages whose it is. */
export const make = (label: string): Transcript => {
  const lines: Array<string> = []
  const listeners = new Set<() => void>()
  return {
    label,
    lines,
    append: (line) => {
      lines.push(line)
      for (const listener of listeners) listener()
    },
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    }
  }
}

/** The last lines, under a heading, for error messages. */
export const tail = ({ label, lines }: Transcript, count = TAIL_LINES): string =>
  [`--- ${label}, ${lines.length} lines ---`, ...lines.slice(-count)].join("\n")

/** Waits until `find` answers something, asking now and after every line of any of the transcripts. */
export const until = <A>(
  what: string,
  transcripts: ReadonlyArray<Transcript>,
  timeoutMs: number,
  find: () => A | undefined
): Promise<A> =>
  new Promise((resolve, reject) => {
    const settle = (conclude: () => void) => {
      clearTimeout(timer)
      unsubscribe.forEach((stop) => stop())
      conclude()
    }
    const look = () => {
      try {
        const found = find()
        if (found !== undefined) settle(() => resolve(found))
      } catch (cause) {
        settle(() => reject(cause))
      }
    }
    const timer = setTimeout(() => {
      const said = transcripts.map((transcript) => tail(transcript)).join("\n")
      settle(() => reject(new Error(`Not within ${timeoutMs} ms: ${what}\n${said}`)))
    }, timeoutMs)
    const unsubscribe = transcripts.map((transcript) => transcript.subscribe(look))
    look()
  })

/** Waits until `ask` answers something, asking again and again; for what can only be asked, not listened to. */
export const poll = async <A>(
  what: string,
  transcripts: ReadonlyArray<Transcript>,
  timeoutMs: number,
  ask: () => Promise<A | undefined>
): Promise<A> => {
  const end = performance.now() + timeoutMs
  while (performance.now() < end) {
    const answer = await ask()
    if (answer !== undefined) return answer
    await delay(POLL_INTERVAL_MS)
  }
  const said = transcripts.map((transcript) => tail(transcript)).join("\n")
  throw new Error(`Not within ${timeoutMs} ms: ${what}\n${said}`)
}
