/**
 * Moves, told.
 */
import * as Moment from "./Moment.ts"
import { decode, Move } from "./Moves.ts"
import * as Network from "./Network.ts"
import * as Turns from "./Turns.ts"

/** One move in a line: who, what happens, and after an arrow what is decided. */
export const tell = (
  store: Network.Store,
  sids: ReadonlyArray<bigint>,
  moment: Moment.Moment,
  move: number
): string => {
  const { kept, kind, other, peer } = decode(move)
  const message = store.channels.head(Moment.channel(moment, other, peer))
  const who = `server ${sids[peer]}`
  const step = (code: number): string => `${who} ${store.turns.tell(moment.peers[peer]!, code)}`
  switch (kind) {
    case Move.Deliver:
      return step(Turns.code("Received", message))
    case Move.Lose:
      return `what server ${sids[other]} says to ${who} is lost: ${said(store, message)}`
    case Move.Start:
      return `${who} starts: ${store.turns.tell(moment.peers[peer]!, Turns.code("Started"))}`
    case Move.Crash:
      return `${who} is killed${loss(store, sids, moment, peer, kept)}`
    case Move.Break:
      return `the connection of ${who} and server ${sids[other]} breaks, and is made again`
    case Move.Notification:
      return step(Turns.code("Notification"))
    case Move.Finalize:
      return step(Turns.code("Finalize"))
    case Move.Leave:
      return `${who} gives its leader up: ${store.turns.tell(moment.peers[peer]!, Turns.code("Lost"))}`
    case Move.Look:
      return step(Turns.code("Look"))
    case Move.Activate:
      return `a quorum follows ${who}, which begins a new epoch`
    default:
      return `${who} learns the epoch of server ${sids[other]}`
  }
}

const said = ({ turns }: Network.Store, message: number): string => {
  const { electionEpoch, leader, state } = turns.messages.get(message)
  return `${state} round ${electionEpoch} for ${leader}`
}

const loss = (
  { channels }: Network.Store,
  sids: ReadonlyArray<bigint>,
  moment: Moment.Moment,
  peer: number,
  kept: number
): string => {
  const losses = sids.flatMap((sid, to) => {
    const sent = to === peer ? 0 : channels.messages(Moment.channel(moment, peer, to)).length
    const lost = sent - Math.min(sent, Network.kept(kept, to))
    return lost === 0 ? [] : [`${lost} to ${sid}`]
  })
  return losses.length === 0 ? "" : `; of what it sent the last are lost: ${losses.join(", ")}`
}
