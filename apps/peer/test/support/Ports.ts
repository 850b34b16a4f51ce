/**
 * Free TCP ports on loopback for servers that must know each other's ports before any of them runs.
 */
import { randomInt } from "node:crypto"
import { once } from "node:events"
import { createServer } from "node:net"

/** The only address anything in these tests binds or dials. */
export const HOST = "127.0.0.1"

// Below Linux's ephemeral range (32768 and up): a peer that keeps dialling a dead neighbour is given ephemeral source
// ports, and one of them must not be the port of a server that is about to start.
const LOWEST = 12_000
const HIGHEST = 32_000

const given = new Set<number>()

const isFree = async (port: number): Promise<boolean> => {
  const server = createServer()
  try {
    const listening = once(server, "listening")
    server.listen({ port, host: HOST, exclusive: true })
    await listening
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}

/** Ports that nobody listens on now and that this test process has not handed out before. */
export const free = async (count: number): Promise<ReadonlyArray<number>> => {
  const ports: Array<number> = []
  while (ports.length < count) {
    const port = randomInt(LOWEST, HIGHEST)
    if (given.has(port)) continue
    given.add(port)
    if (await isFree(port)) ports.push(port)
  }
  return ports
}
