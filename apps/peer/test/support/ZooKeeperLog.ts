/**
 * The log of a real ZooKeeper server: lines grouped into records, and the records that complain about what another
 * server sent.
 */

/** One record of the log with the lines, such as a stack trace, that belong to it. */
export interface LogRecord {
  readonly level: string
  /** Name of the class that logged, without its package. */
  readonly logger: string
  readonly text: string
}

// slf4j-simple: `[thread] LEVEL some.package.Logger - message`. Thread names of the server contain brackets themselves.
const RECORD_START = /^\[.*?\] (TRACE|DEBUG|INFO|WARN|ERROR) (?:[\w$]+\.)*([\w$]+) - (.*)$/

/** Groups lines into records; a line that starts none belongs to the record before it. */
export const records = (lines: ReadonlyArray<string>): ReadonlyArray<LogRecord> => {
  const found: Array<LogRecord> = []
  for (const line of lines) {
    const [, level, logger, text] = RECORD_START.exec(line) ?? []
    const last = found.at(-1)
    if (level !== undefined && logger !== undefined && text !== undefined) found.push({ level, logger, text })
    else if (last !== undefined) found[found.length - 1] = { ...last, text: `${last.text}\n${line}` }
  }
  return found
}

/** What was logged as a warning or an error. */
export const warnings = (lines: ReadonlyArray<string>): ReadonlyArray<LogRecord> =>
  records(lines).filter(({ level }) => level === "WARN" || level === "ERROR")

// Said when a server is not up yet, has been killed, or has replaced a connection: about links, not about bytes.
const ABOUT_LINKS = [
  "Cannot open channel to ",
  "Connection broken for id ",
  "Interrupting SendWorker thread from RecvWorker",
  "Interrupted while waiting for message on queue",
  "Exception when using channel",
  "Failed to send last message",
  "Send worker leaving thread"
]

// What breaks a connection is in the stack trace: the end of the stream, or a frame of an impossible length.
const INVALID_FRAME = "Received packet with invalid packet"

// A note, not a warning: the message was taken for one of a version before 3.5.
const OLD_MESSAGE = "Backward compatibility mode"

const isComplaint = ({ level, logger, text }: LogRecord): boolean => {
  if (text.includes(INVALID_FRAME) || text.startsWith(OLD_MESSAGE)) return true
  const elects = logger.startsWith("FastLeaderElection") || logger.startsWith("QuorumCnxManager")
  return elects && level !== "INFO" && !ABOUT_LINKS.some((start) => text.startsWith(start))
}

/**
 * What the election classes did not like about the bytes another server sent: a hello or a notification that is
 * malformed, cut short, of an old version, from or for somebody outside the ensemble, or with a bad configuration.
 */
export const complaints = (lines: ReadonlyArray<string>): ReadonlyArray<LogRecord> => records(lines).filter(isComplaint)

/** Notifications of one sender that the server has decoded, as it logs them. */
export const notificationsFrom = (lines: ReadonlyArray<string>, sid: bigint): ReadonlyArray<string> =>
  lines.filter((line) => line.includes(` - Notification: my state:`) && line.includes(` n.sid:${sid}, `))

/** How often the server has begun to look for a leader. */
export const elections = (lines: ReadonlyArray<string>): number =>
  lines.filter((line) => line.includes(" - New election. My id = ")).length
