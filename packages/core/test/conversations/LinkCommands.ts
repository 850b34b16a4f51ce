/**
 * The commands of a conversation about connections, between servers 1 and 2, over the network of `Pair`.
 *
 * A connection is told by who dialled it, and by the number that it has there; `?` as long as it has none.
 */
import type * as Connections from "../../src/Connections.ts"
import type { CloseReason, Output } from "../../src/ConnectionsOutput.ts"
import * as Explain from "../../src/Explain.ts"
import * as Rules from "../../src/Rules.ts"
import * as Pair from "../support/Pair.ts"
import type { Command } from "./Script.ts"

type Lines = ReadonlyArray<string>

/** Things that happen one after another at most; what does not come to rest is a fault of ours. */
const STEPS_MAX = 200

/** Performs commands, the first of which is `pair`. */
export const interpreter = () => {
  let lines: Array<string> = []
  let rules: Pair.RulesOf = { 1: Rules.conclave, 2: Rules.conclave }
  let world = Pair.make([], true)
  const first = (accept: (what: string) => boolean): boolean => {
    const choice = [...Pair.progress(rules)(world), ...Pair.due(rules)(world)].find(({ what }) => accept(what))
    if (choice !== undefined) world = choice.next
    return choice !== undefined
  }
  const run: Record<string, (command: Command) => void> = {
    // pair rules=zookeeper listening=2: who can be dialled; both unless said otherwise
    pair: ({ options }) => {
      const by = options.get("rules") === "zookeeper" ? Rules.zookeeper : Rules.conclave
      rules = { 1: by, 2: by }
      world = Pair.make((options.get("listening") ?? "1,2").split(",").map(nameOf), true)
      lines.push("1 and 2 have no connection")
    },
    // listen 1: can be dialled from now on
    listen: ({ words: [name] }) => {
      world = Pair.listen(world, nameOf(name))
      lines.push(`${name} listens`)
    },
    // ask 1: has something to say to the other; want 1: is to be connected with it, from now on
    ask: ({ words: [name] }) => void (world = Pair.request(rules, world, nameOf(name))),
    want: ({ words: [name] }) => void (world = Pair.want(rules, world, nameOf(name))),
    // happens connection ? of 1: is made
    happens: ({ words }) => {
      const what = words.join(" ")
      if (first((text) => text === what)) return
      const choices = [...Pair.progress(rules)(world), ...Pair.due(rules)(world)].map((choice) => choice.what)
      throw new Error(`this cannot happen; what can is: ${choices.join("; ") || "nothing"}`)
    },
    // break: what there is of connections breaks
    break: () => {
      for (const index of world.connections.keys()) world = Pair.reset(world, index)
      lines.push("what connections there are break")
    },
    // stabilize: all that the network can do of itself, in order; a connection that ends has been of use
    stabilize: () => {
      for (let step = 0; first((text) => !/of no use$|again$|lingered/.test(text)); step++) {
        if (step === STEPS_MAX) throw new Error(`after ${step} steps there is no end of it`)
      }
    },
    // later: time passes
    later: () => {
      while (first((text) => /again$|has lingered$/.test(text))) { /* until nobody is left */ }
    },
    // links: which connections live
    links: () => lines.push(...([1, 2] as const).map((name) => `${name} has ${linkOf(world, name)}`))
  }
  return (command: Command): Lines => {
    lines = []
    const perform = run[command.verb]
    if (perform === undefined) throw new Error(`no such command; there are ${Object.keys(run).join(", ")}`)
    perform(command)
    lines.push(...(world.story ?? []).flatMap(told))
    world = { ...world, story: [] }
    return lines.length === 0 ? ["nothing happens"] : lines
  }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const nameOf = (text: string | undefined): Pair.Name => {
  if (text !== "1" && text !== "2") throw new Error(`there are servers 1 and 2, and not ${text}`)
  return text === "1" ? 1 : 2
}

const linkOf = ({ peers }: Pair.World, name: Pair.Name): string => {
  const [link] = peers[name].links.values()
  return link === undefined ? "none" : `connection ${link}`
}

const told = ({ event, name, outputs }: Pair.Decision): Lines => [
  `${name} ${happened(event)}`,
  ...outputs.map((output) => `  ${decided(output)}`)
]

const happened = (event: Connections.Event): string => {
  switch (event._tag) {
    case "ConnectRequested":
      return `has something to say to ${event.sid}`
    case "Wanted":
      return `is to be connected with ${Explain.sids(event.sids)}`
    case "RedialDue":
      return `has waited long enough to try ${event.sid} again`
    case "Dialed":
      return `has dialled ${event.sid}, and calls that connection ${event.link}`
    case "DialFailed":
      return `does not reach ${event.sid}`
    case "Accepted":
      return `is dialled by ${event.sid}, and calls that connection ${event.link}`
    case "Closed":
      return `sees the end of connection ${event.link}`
    case "ProbeFailed":
      return `gets no answer at the far address of connection ${event.link}`
  }
}

const decided = (output: Output): string => {
  switch (output._tag) {
    case "Dial":
      return `dials ${output.sid}`
    case "Adopt":
      return `keeps connection ${output.link}`
    case "Close":
      return `closes connection ${output.link}: ${Explain.linkTrouble(output.reason) ?? customs[output.reason] ?? ""}` +
        (output.linger ? ", but leaves it to the other side to be first" : "")
    case "RedialLater":
      return `will try again, after ${output.failures} that came to nothing`
    case "Probe":
      return `asks whether the far address of connection ${output.link} still answers`
    case "NoAddress":
      return `does not know where ${output.sid} is`
  }
}

/** Why connections are closed without any trouble. */
const customs: { readonly [R in CloseReason]?: string } = {
  Yielded: "the other has the larger id, and dials",
  DialingBack: "it has the larger id, and dials itself",
  Replaced: "a newer one takes its place",
  Overtaken: "a newer one has taken its place already"
}
