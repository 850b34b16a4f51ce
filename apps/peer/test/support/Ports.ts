/**
 * Free TCP ports on loopback for servers that must know each other's ports before any of them runs.
 */
import { randomInt } from "node:crypto"
import { once } from "node:events"
import { createServer } from "node:net"
import { networkInterfaces } from "node:os"

/** The address that everything in these tests binds and dials, unless it needs several. */
export const HOST = "127.0.0.1"

/** More addresses of this machine, which nobody else uses: all of 127.0.0.0/8 is loopback. */
export const hosts = (count: number): ReadonlyArray<string> => {
  const net = `127.${randomInt(1, 255)}.${randomInt(0, 256)}`
  return Array.from({ length: count }, (_, index) => `${net}.${index + 1}`)
}

/** The loopback address of IPv6. */
export const HOST_6 = "::1"

/** Has this machine that address? A container often has not. */
export const hasIPv6 = (): boolean =>
  Object.values(networkInterfaces()).flat().some((entry) => entry?.address === HOST_6)

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
