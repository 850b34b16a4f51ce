/**
 * Whom an application would rather have as leader, as the zxid its peers vote with.
 *
 * An election prefers the highest epoch, then the highest zxid, then the highest
 * id. Who has a log of its own puts its position into the zxid and a priority
 * below it: so the most up-to-date peer wins, and among equals the best placed.
 *
 * Such a zxid is no transaction of ZooKeeper's: its upper half is no epoch. It is
 * for ensembles of our own peers only.
 */
import * as Result from "effect/Result"
import { InvalidConfig } from "./InvalidConfig.ts"
import type { Zxid } from "./Zxid.ts"

/** Bits of a zxid that hold the priority. */
const PRIORITY_BITS = 8n

/** The highest priority: 255, so that it takes eight bits. */
export const PRIORITY_MAX = 255

/** The furthest position: 2^55 - 1, what is left of a signed 64-bit zxid that is not negative. */
export const POSITION_MAX = 0x7f_ffff_ffff_ffffn

/**
 * The zxid to vote with, which orders peers by position and then by priority.
 *
 * `position` is how far the durable log goes, 0 to `POSITION_MAX`; `priority` is a whole number, 0 to `PRIORITY_MAX`,
 * and more is preferred. Anything else is `InvalidConfig`: the application's fault.
 */
export const zxid = (position: bigint, priority: number): Result.Result<Zxid, InvalidConfig> => {
  if (position < 0n || position > POSITION_MAX) {
    return invalid("position", `${position} is not between 0 and ${POSITION_MAX}; count the log's entries or bytes`)
  }
  if (!Number.isInteger(priority) || priority < 0 || priority > PRIORITY_MAX) {
    return invalid("priority", `${priority} is not a whole number between 0 and ${PRIORITY_MAX}`)
  }
  return Result.succeed((position << PRIORITY_BITS) | BigInt(priority))
}

/** The position in such a zxid. */
export const positionOf = (zxid: Zxid): bigint => zxid >> PRIORITY_BITS

/** The priority in such a zxid. */
export const priorityOf = (zxid: Zxid): number => Number(zxid & BigInt(PRIORITY_MAX))

const invalid = (key: string, problem: string) => Result.fail(new InvalidConfig({ key, problem }))
