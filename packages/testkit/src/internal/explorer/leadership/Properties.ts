/**
 * What must hold, said once more without a call into the core.
 */
import type { Broken } from "../../../Explorer.ts"
import * as Zxid from "@conclave/core/Zxid"
import type { Machine } from "./Machine.ts"
import type * as Outcome from "./Outcome.ts"
import * as Pledges from "./Pledges.ts"
import * as Words from "./Words.ts"

/** What each property says; in brackets the action of ZkV3_7_0.tla, or Zab.tla, that it is about. */
const explanations: Readonly<Record<string, string>> = {
  epoch: "an epoch is activated once (LeaderProcessACKLD)",
  back: "no epoch on a disk goes back (FollowerProcessLEADERINFO)",
  durable: "nothing is told that is not durable (FollowerProcessLEADERINFO, FollowerProcessNEWLEADER)",
  once: "a voter accepts an epoch once in a way that counts, and never a lower one (FollowerProcessLEADERINFO)",
  higher: "an epoch is higher than all that were told to who decides it (LeaderProcessFOLLOWERINFO)",
  quorum: "epochs are decided, accepted and activated by a quorum of voters (LeaderProcessFOLLOWERINFO, ...ACKEPOCH)",
  fresh: "a leader is at least as fresh as those who made it leader (LeaderProcessACKEPOCH)",
  truth: "a learner tells of its own history (FollowerProcessLEADERINFO)",
  later: "an epoch is higher than all that were activated before its leader was elected (LeaderProcessFOLLOWERINFO)",
  activation: "UPTODATE is said, and followed, only when a quorum has acknowledged (LeaderProcessACKLD)",
  pledge: "nobody supports a leader, or itself, that is pledged to another (not in the original)",
  overlap: "no two may act at a time (not in the original)",
  token: "who acts later has the higher token (not in the original)",
  grant: "a lease is extended by the answers of a quorum (not in the original)",
  grace: "the lease's timer leaves guarded work the grace to end (not in the original)",
  lapse: "a lease that ran out is not brought back (not in the original)",
  total: "nothing makes a step throw",
  progress: "if nothing more goes wrong there is a leader again (UpdateLeader, FollowLeader)"
}

/** What a property says; of any other name the name. */
export const explain = (property: string): string => explanations[property] ?? property

/** What a step of this peer breaks; the state is that before it. */
export const ofOutcome = (
  machine: Machine,
  words: Words.Words,
  peer: number,
  outcome: Outcome.Outcome
): Broken | null => {
  const { activated, accepts, follows, sends, supports } = outcome
  const disk = words[Words.diskAt(peer)]!
  const { sid } = machine.setting.peers[peer]!
  if (activated > 0) {
    if (isActivated(words, activated)) return broken("epoch", `epoch ${activated} is activated again, by server ${sid}`)
    if (Words.current(disk) !== activated) return broken("durable", `epoch ${activated} is not the current one on disk`)
  }
  if (follows > 0 && !isActivated(words, follows)) {
    return broken("activation", `server ${sid} follows in epoch ${follows}, which nobody has activated`)
  }
  if (accepts > 0 && Words.accepted(disk) !== accepts) {
    return broken("durable", `server ${sid} accepts epoch ${accepts}, and has ${Words.accepted(disk)} on disk`)
  }
  if (accepts > 0 && accepts <= Words.counted(disk)) {
    return broken("once", `server ${sid} accepts epoch ${accepts} after ${Words.counted(disk)}`)
  }
  if (supports && isForbidden(machine, words, peer)) return broken("pledge", `server ${sid} is pledged to another`)
  for (const [, packet] of sends) {
    const wrong = ofPacket(machine, words, peer, packet, activated)
    if (wrong !== null) return wrong
  }
  return null
}

/** What a state breaks, and the highest epoch in which somebody has acted by now. */
export const ofState = ({ layout, roles, setting }: Machine, words: Words.Words): Broken | null => {
  if (setting.lease === null) return null
  let actor = -1
  let highest = words[0]! >>> 16 & 15
  for (let peer = 0; peer < layout.peers; peer++) {
    const epoch = roles.acting(words[Words.roleAt(peer)]!)
    if (epoch === 0) continue
    const { sid } = setting.peers[peer]!
    if (actor !== -1) return broken("overlap", `servers ${setting.peers[actor]!.sid} and ${sid} may act at a time`)
    if (epoch < highest) return broken("token", `server ${sid} acts with ${epoch} after somebody has with ${highest}`)
    actor = peer
    highest = epoch
  }
  words[0] = (words[0]! & ~(15 << 16) | highest << 16) >>> 0
  return null
}

/** The highest epoch in which somebody has been activated; 0 if nobody has. */
export const newest = (words: Words.Words): number => 32 - Math.clz32(words[0]! & 0xffff)

/** Has somebody been activated in this epoch? */
export const isActivated = (words: Words.Words, epoch: number): boolean => (words[0]! & 1 << epoch - 1) !== 0

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const broken = (property: string, detail: string): Broken => ({ property, detail })

const isForbidden = ({ pledges, roles, setting }: Machine, words: Words.Words, peer: number): boolean => {
  const role = roles.get(words[Words.roleAt(peer)]!)
  const leader = role._tag === "Following" ? role.leader : peer
  return Pledges.forbids(pledges.get(Words.pledgeOf(words[Words.diskAt(peer)]!)), setting.peers[leader]!.sid)
}

// Nothing is told that is not on the disk.
const ofPacket = (
  machine: Machine,
  words: Words.Words,
  peer: number,
  packet: number,
  activated: number
): Broken | null => {
  const { sid } = machine.setting.peers[peer]!
  const disk = words[Words.diskAt(peer)]!
  const { type, zxid } = machine.packets.get(packet)
  const epoch = Number(Zxid.epochOf(zxid))
  switch (type) {
    case "LEADERINFO":
      return Words.accepted(disk) === epoch
        ? null
        : broken("durable", `server ${sid} tells epoch ${epoch}, and has accepted ${Words.accepted(disk)}`)
    case "NEWLEADER":
    case "ACK":
      return Words.current(disk) === epoch
        ? null
        : broken("durable", `server ${sid} says ${type} of epoch ${epoch}, and is in ${Words.current(disk)}`)
    case "UPTODATE":
      return activated > 0 || isLeading(machine, words, peer)
        ? null
        : broken("activation", `server ${sid} says UPTODATE without having been activated`)
    default:
      return null
  }
}

const isLeading = ({ roles }: Machine, words: Words.Words, peer: number): boolean => {
  const role = roles.get(words[Words.roleAt(peer)]!)
  return role._tag === "Leading" && isActivated(words, Number(role.state.epoch))
}

