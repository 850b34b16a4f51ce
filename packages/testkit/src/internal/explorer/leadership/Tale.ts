/**
 * A step, for people.
 */
import * as Actions from "./Actions.ts"
import * as Machine from "./Machine.ts"
import { LINKS } from "./Setting.ts"
import * as Words from "./Words.ts"

/** What happens, and what is decided. */
export const tell = (machine: Machine.Machine, before: Words.Words, action: number): string => {
  const words = before.slice()
  const happens = what(machine, before, action)
  if (Actions.decode(action).kind === "Calm") return happens
  return [happens, ...Machine.act(machine, words, action).told].join(", ")
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const what = (machine: Machine.Machine, words: Words.Words, action: number): string => {
  const { detail, kind, what } = Actions.decode(action)
  const name = (peer: number) => `server ${machine.setting.peers[peer]!.sid}`
  const write = () => {
    const role = machine.roles.get(words[Words.roleAt(what)]!)
    const [first] = "storing" in role ? role.storing : []
    return `${first?.file.toLowerCase()} epoch ${first?.epoch}`
  }
  switch (kind) {
    case "Lead":
      return `${name(what)} takes itself for the leader`
    case "Follow":
      return `${name(what)} follows ${name(detail)}`
    case "Restart":
      return `${name(what)} starts again`
    case "Crash":
      return `${name(what)} crashes`
    case "Written":
      return `${write()} is on the disk of ${name(what)}`
    case "Stored":
      return `${name(what)} knows that its ${write()} is durable`
    case "NotStored":
      return `${name(what)} hears that its ${write()} could not be made durable`
    case "TimedOut":
      return `${name(what)}: timer ${Actions.timers[detail]}`
    case "HalfTick":
      return `${name(what)}: half a tick`
    case "Resign":
      return `${name(what)} is asked to resign${detail === 0 ? "" : ` in favour of ${name(detail - 1)}`}`
    case "Released":
      return `${name(what)} learns that whom it is pledged to has died`
    case "WorkEnded":
      return `guarded work of ${name(what)} has ended`
    case "GiveUp":
      return `${name(what)} follows no longer`
    case "TimePasses":
      return "time passes"
    case "Calm":
      return "nothing more goes wrong"
    default:
      return onLink(machine, words, kind, what)
  }
}

const onLink = (machine: Machine.Machine, words: Words.Words, kind: Actions.Kind, link: number): string => {
  const { layout, packets, setting } = machine
  const word = words[Words.linkAt(layout, link)]!
  const leader = `server ${setting.peers[Words.leaderOf(word)]!.sid}`
  const learner = `server ${setting.peers[Math.floor(link / LINKS)]!.sid}`
  const first = (queue: number) => packets.get(packets.queue(queue)[0]!).type
  switch (kind) {
    case "ToLeader":
      return `${leader} gets ${first(Words.up(word))} of ${learner}`
    case "ToLearner":
      return `${learner} gets ${first(Words.down(word))} of ${leader}`
    case "LeaderNotices":
      return `${leader} notices that ${learner} is gone`
    case "LearnerNotices":
      return `${learner} notices that ${leader} is gone`
    default:
      return `the link of ${learner} with ${leader} breaks`
  }
}
