/**
 * A real Apache ZooKeeper server in the foreground, started from a `zoo.cfg`, watched through its log and asked
 * through its client port.
 */
import { execFile } from "node:child_process"
import { access } from "node:fs/promises"
import { connect } from "node:net"
import { dirname } from "node:path"
import { text } from "node:stream/consumers"
import { promisify } from "node:util"
import * as Child from "./Child.ts"
import * as Ports from "./Ports.ts"
import * as Transcript from "./Transcript.ts"
import type { ZooCfg } from "./ZooCfg.ts"
import * as ZooKeeperLog from "./ZooKeeperLog.ts"

/** A running real server. */
export interface ZooKeeperServer {
  readonly sid: bigint
  /** Every line of its log so far. */
  readonly log: () => ReadonlyArray<string>
  readonly warnings: () => ReadonlyArray<ZooKeeperLog.LogRecord>
  /** Of its warnings and notes, those about what other servers sent on the election port. */
  readonly complaints: () => ReadonlyArray<ZooKeeperLog.LogRecord>
  /** The role it serves in, or nothing while it does not serve. */
  readonly mode: () => Promise<string | undefined>
  /** Waits until it serves in one of these roles. */
  readonly waitForMode: (...modes: ReadonlyArray<string>) => Promise<string>
  /** The first line of the log from number `from` (default 0) on that matches. */
  readonly waitForLog: (pattern: RegExp, from?: number) => Promise<string>
  /** Ends it without warning, as `kill -9` does. */
  readonly kill: () => Promise<Child.Exit>
}

// Starting JVMs on a busy machine are what takes time here, not elections.
const TIMEOUT_MS = 45_000

const ANSWER_TIMEOUT_MS = 5_000

const MAIN = "org.apache.zookeeper.server.quorum.QuorumPeerMain"

const CLIENT = "org.apache.zookeeper.ZooKeeperMain"

// Where Debian's packages put them. The manifest of the first names its other dependencies but forgets netty-codec;
// slf4j-simple prints the log on standard error.
const JARS = ["zookeeper", "netty-codec", "slf4j-simple"].map((name) => `/usr/share/java/${name}.jar`)

// The election logs every notification at info; one class would add a line for each of our four-letter words.
const JAVA_OPTIONS = [
  "-Xmx256m",
  "-Dorg.slf4j.simpleLogger.defaultLogLevel=info",
  "-Dorg.slf4j.simpleLogger.log.org.apache.zookeeper.server.NIOServerCnxn=warn"
]

const lookForServer = async (): Promise<void> => {
  try {
    await promisify(execFile)("java", ["-version"])
    await Promise.all(JARS.map((jar) => access(jar)))
  } catch (cause) {
    throw new Error(
      "These tests need real ZooKeeper servers: a java command and Debian's ZooKeeper jars. Install them with: " +
        "apt-get update && apt-get install -y --no-install-recommends zookeeper",
      { cause }
    )
  }
}

let installed: Promise<void> | undefined

/** Fails, saying what to install, on a machine that cannot run a real server. Looks only once. */
export const assertInstalled = (): Promise<void> => (installed ??= lookForServer())

/** Sends a four-letter word to a client port; empty when nobody answers. */
export const fourLetterWord = async (clientPort: number, word: string): Promise<string> => {
  const socket = connect({ host: Ports.HOST, port: clientPort })
  socket.setTimeout(ANSWER_TIMEOUT_MS, () => socket.destroy(new Error("No answer")))
  socket.end(word)
  try {
    return await text(socket)
  } catch {
    return ""
  }
}

/** Has a client of ZooKeeper carry out one command, such as `reconfig -remove 3`, and gives what it printed. */
export const command = async (clientPort: number, ...args: ReadonlyArray<string>): Promise<string> => {
  await assertInstalled()
  const client = Child.start({
    label: `client: ${args.join(" ")}`,
    file: "java",
    args: ["-Xmx256m", "-cp", JARS.join(":"), CLIENT, "-server", `${Ports.HOST}:${clientPort}`, ...args]
  })
  const { code } = await Child.ended(client, TIMEOUT_MS)
  const said = [...client.stdout.lines, ...client.stderr.lines].join("\n")
  if (code !== 0) throw new Error(`${args.join(" ")} was refused\n${said}`)
  return said
}

/** What makes a real server take several addresses in a server line; the key in `zoo.cfg` does not. */
export const MULTI_ADDRESS = "-Dzookeeper.multiAddress.enabled=true"

/**
 * Starts a server and waits until its client port answers, which it does before there is a leader. More options of
 * Java may be system properties.
 */
export const start = async (cfg: ZooCfg, javaOptions: ReadonlyArray<string> = []): Promise<ZooKeeperServer> => {
  await assertInstalled()
  const child = Child.start({
    label: `ZooKeeper ${cfg.sid}`,
    file: "java",
    args: [...JAVA_OPTIONS, ...javaOptions, "-cp", JARS.join(":"), MAIN, cfg.file],
    cwd: dirname(cfg.file)
  })
  const log = () => child.stderr.lines
  const running = () => {
    if (child.outcome() !== undefined) throw new Error(`Server ${cfg.sid} ended\n${Transcript.tail(child.stderr)}`)
  }
  const mode = async () => /^Mode: (.*)$/m.exec(await fourLetterWord(cfg.clientPort, "srvr"))?.[1]
  await Transcript.poll(`an answer of server ${cfg.sid}`, [child.stderr], TIMEOUT_MS, async () => {
    running()
    return (await fourLetterWord(cfg.clientPort, "srvr")) || undefined
  })
  return {
    sid: cfg.sid,
    log,
    warnings: () => ZooKeeperLog.warnings(log()),
    complaints: () => ZooKeeperLog.complaints(log()),
    mode,
    waitForMode: (...modes) =>
      Transcript.poll(`server ${cfg.sid} serves as ${modes.join(" or ")}`, [child.stderr], TIMEOUT_MS, async () => {
        running()
        const now = await mode()
        return now !== undefined && modes.includes(now) ? now : undefined
      }),
    waitForLog: (pattern, from = 0) =>
      Transcript.until(`server ${cfg.sid} logs ${pattern}`, [child.stderr], TIMEOUT_MS, () => {
        running()
        return log().slice(from).find((line) => pattern.test(line))
      }),
    kill: () => child.kill("SIGKILL")
  }
}
