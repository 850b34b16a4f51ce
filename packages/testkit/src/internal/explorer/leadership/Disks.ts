/**
 * What outlives a role: epochs on the disk, the pledge of the process, and the clock.
 */
import type { Broken } from "../../../Explorer.ts"
import type { Past } from "./Leaders.ts"
import type { Machine } from "./Machine.ts"
import * as Pledges from "./Pledges.ts"
import * as Properties from "./Properties.ts"
import * as Roles from "./Roles.ts"
import * as Words from "./Words.ts"

/** What a role finds when it begins. */
export const past = ({ pledges }: Machine, words: Words.Words, peer: number): Past => {
  const disk = words[Words.diskAt(peer)]!
  return {
    acceptedEpoch: BigInt(Words.accepted(disk)),
    currentEpoch: BigInt(Words.current(disk)),
    pledge: pledges.get(Words.pledgeOf(disk)).pledge,
    activated: Properties.newest(words)
  }
}

/** The epoch that is on its way is durable. A disk never takes one back; to ask it for that is wrong. */
export const write = ({ roles, setting }: Machine, words: Words.Words, peer: number): Broken | null => {
  const role = roles.get(words[Words.roleAt(peer)]!)
  if (!("storing" in role)) return null
  const [pending, ...others] = role.storing
  if (pending === undefined) return null
  words[Words.roleAt(peer)] = roles.id({ ...role, storing: [{ ...pending, isDone: true }, ...others] })
  const at = Words.diskAt(peer)
  const accepted = Words.accepted(words[at]!)
  const current = Words.current(words[at]!)
  const epoch = Number(pending.epoch)
  words[at] = pending.file === "Accepted"
    ? Words.withEpochs(words[at]!, Math.max(accepted, epoch), current)
    : Words.withEpochs(words[at]!, Math.max(accepted, epoch), Math.max(current, epoch))
  const before = pending.file === "Accepted" ? accepted : Math.max(accepted, current)
  if (epoch >= before) return null
  return {
    property: "back",
    detail: `server ${setting.peers[peer]!.sid} makes ${pending.file} epoch ${epoch} durable after ${before}`
  }
}

/** The process is gone, and what only it knew. Whoever was pledged to it may learn that. */
export const lose = (machine: Machine, words: Words.Words, peer: number): void => {
  const { layout, pledges, setting } = machine
  words[Words.roleAt(peer)] = Roles.DOWN
  words[Words.diskAt(peer)] = Words.withPledge(words[Words.diskAt(peer)]!, 0)
  const { sid } = setting.peers[peer]!
  for (let other = 0; other < layout.peers; other++) {
    const at = Words.diskAt(other)
    const kept = pledges.get(Words.pledgeOf(words[at]!))
    if (kept.pledge?.leader !== sid) continue
    words[at] = Words.withPledge(words[at]!, pledges.id({ ...kept, isGone: true }))
  }
}

/** A process starts where one was before. */
export const restart = ({ pledges, setting }: Machine, words: Words.Words, peer: number): void => {
  const at = Words.diskAt(peer)
  const pledge = Pledges.atStart(setting, Words.accepted(words[at]!))
  words[Words.roleAt(peer)] = Roles.IDLE
  words[at] = Words.withPledge(words[at]!, pledges.id({ pledge, isGone: false }))
}

/** The process has given a pledge, or needs none any more. */
export const pledge = ({ pledges }: Machine, words: Words.Words, peer: number, kept: Pledges.Kept): void => {
  const at = Words.diskAt(peer)
  const isGone = kept.isGone && kept.pledge !== null
  words[at] = Words.withPledge(words[at]!, pledges.id({ ...kept, isGone }))
}

/** A unit of true time passes; by each clock so much as it is fast. */
export const pass = (machine: Machine, words: Words.Words): void => {
  const { layout, passed, pledges, rates, roles } = machine
  for (let peer = 0; peer < layout.peers; peer++) {
    const at = Words.diskAt(peer)
    const clock = Words.isFast(words[at]!) ? 1 : 0
    const id = words[Words.roleAt(peer)]!
    words[Words.roleAt(peer)] = passed[clock][id] ??= roles.id(Roles.pass(roles.get(id), rates[clock]))
    const pledge = Words.pledgeOf(words[at]!)
    const left = machine.pledgesPassed[clock][pledge] ??= later(pledges, pledge, rates[clock].pledge)
    words[at] = Words.withPledge(words[at]!, left)
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const later = (pledges: Pledges.Pledges, id: number, millis: number): number => {
  const { isGone, pledge } = pledges.get(id)
  if (pledge === null) return id
  const until = pledge.until - millis
  return until > 0 ? pledges.id({ isGone, pledge: { ...pledge, until } }) : 0
}
