/**
 * Elections within small bounds, explored to their ends; and that what is left out of an exploration changes nothing.
 *
 * Larger bounds: `npm run explore`.
 */
import * as Rules from "@conclave/core/Rules"
import * as ElectionModel from "@conclave/testkit/ElectionModel"
import * as Explorer from "@conclave/testkit/Explorer"
import * as Reducers from "@conclave/testkit/Reducers"
import { assert, describe, it } from "@effect/vitest"
import * as PeerKey from "../src/internal/explorer/election/PeerKey.ts"

const alike = [{ sid: 1 }, { sid: 2 }, { sid: 3 }]

/** The third has more transactions, of an older epoch than the second. */
const unlike = [{ sid: 1, epoch: 1, zxid: 9 }, { sid: 2, epoch: 2, zxid: 7 }, { sid: 3, epoch: 1, zxid: 8 }]

const explore = (options: ElectionModel.Options): Explorer.Outcome =>
  Explorer.explore(ElectionModel.make({ asks: "All", ...options }), { statesMax: 400_000 })

const holds = (options: ElectionModel.Options): Explorer.Outcome => {
  const outcome = explore(options)
  assert.isNull(outcome.violation)
  assert.isTrue(outcome.complete)
  return outcome
}

const sceneKey = (scene: ElectionModel.Scene): string =>
  scene.map((peer) => PeerKey.of(peer, { answers: false, idles: false })).join("\n")

/** How the peers stand in every state that is reached. */
const scenesOf = (options: ElectionModel.Options): ReadonlySet<string> => {
  const scenes = new Set<string>()
  const claim = (scene: ElectionModel.Scene) => {
    scenes.add(sceneKey(scene))
    return null
  }
  holds({ ...options, claim })
  return scenes
}

describe("nothing is broken, whatever happens", { timeout: 30_000 }, () => {
  const weights = [{ sid: 1, group: 1, weight: 2 }, { sid: 2, group: 1 }, { sid: 3, group: 2, weight: 0 }]
  const bounds = { rounds: 1, capacity: 1 }
  it.each<[string, ElectionModel.Options]>([
    ["to three peers that are alike", { peers: alike, bounds: { rounds: 1, capacity: ElectionModel.UNBOUNDED } }],
    ["to three peers that are not", { peers: unlike, bounds: { rounds: 1, capacity: ElectionModel.UNBOUNDED } }],
    ["when each starts at any time", { peers: alike, starts: "Separately", bounds: { ...bounds, capacity: 2 } }],
    ["when a connection breaks", { peers: alike, bounds: { ...bounds, breaks: 1 } }],
    ["when one of unlike peers is killed", { peers: unlike, bounds: { ...bounds, crashes: 1 } }],
    ["when messages are lost and timers fire", { peers: alike, bounds: { ...bounds, losses: 1, timeouts: 1 } }],
    ["when leaders are given up", { peers: unlike, bounds: { rounds: 2, looks: 2, capacity: 1 } }],
    ["when it takes a while to give a leader up", {
      peers: alike,
      leaves: "Slowly",
      bounds: { rounds: 2, looks: 1, capacity: 1 }
    }],
    ["when epochs begin", { peers: alike, bounds: { rounds: 2, looks: 1, epochs: 1, capacity: 1 } }],
    ["after the last round that there is", { peers: alike, round: 2n ** 63n - 1n, bounds }],
    ["with an observer", {
      peers: [...alike.slice(0, 2), { sid: 3, role: "Observer" }],
      bounds: { ...bounds, crashes: 1, timeouts: 1 }
    }],
    ["with groups and weights", { peers: weights, quorum: "Weighted", bounds }],
    ["with one that may not be elected", {
      peers: [...alike.slice(0, 2), { sid: 3, electable: false }],
      bounds: { rounds: 2, looks: 1, capacity: 1 }
    }],
    ["by the rules of ZooKeeper", { peers: unlike, rules: "zookeeper", bounds: { ...bounds, crashes: 1 } }]
  ])("%s", (_, options) => {
    holds(options)
  })

  it.each(["recordWhileFinalizing", "filterWhileFinalizing", "waitOnRepetition", "resendPerPeer"] as const)(
    "without the rule %s",
    (without) => {
      const rules = (Object.keys(Rules.conclave) as Array<keyof Rules.Rules>).filter((rule) => rule !== without)
      holds({ peers: alike, rules, bounds: { rounds: 2, looks: 1, capacity: 1 } })
      holds({ peers: unlike, rules, bounds: { rounds: 1, losses: 1, timeouts: 1, capacity: 1 } })
    }
  )
})

describe("what is left out changes nothing", { timeout: 30_000 }, () => {
  const bounds: ReadonlyArray<ElectionModel.Limits> = [
    { rounds: 1, losses: 1, capacity: 2 },
    { rounds: 2, looks: 1, capacity: 1 },
    { rounds: 1, crashes: 1, capacity: 1 }
  ]

  it.each(bounds)("the peers come to stand the same ways if harmless messages arrive at any time: %o", (limits) => {
    const reduced = scenesOf({ peers: unlike, bounds: limits })
    const whole = scenesOf({ peers: unlike, bounds: limits, reduces: false })
    assert.isAbove(whole.size, 100)
    assert.strictEqual(reduced.size, whole.size)
    assert.isTrue(reduced.isSubsetOf(whole))
  })

  it("and there are fewer states to see", () => {
    const limits = { rounds: 1, capacity: ElectionModel.UNBOUNDED }
    assert.isBelow(
      holds({ peers: alike, bounds: limits }).states,
      holds({ peers: alike, bounds: limits, reduces: false }).states * 0.8
    )
  })

  it("our own messages may come later, and nothing else is broken", () => {
    const soon = scenesOf({ peers: alike, bounds: { rounds: 1 } })
    const late = scenesOf({ peers: alike, bounds: { rounds: 1 }, loopback: "AnyTime" })
    assert.isTrue(soon.isSubsetOf(late))
    assert.isAbove(late.size, soon.size)
  })

  it("who may be killed and who may look again can be explored one after the other", () => {
    const limits = { rounds: 2, looks: 1, capacity: 1 }
    const parts = [1, 2, 3].map((sid) => scenesOf({ peers: alike, bounds: limits, restless: [sid] }))
    const all = parts.reduce((scenes, part) => scenes.union(part))
    assert.deepStrictEqual(all.size, scenesOf({ peers: alike, bounds: limits }).size)
    assert.isTrue(parts.every((part) => part.size < all.size))
  })
})

/** Takes each step that an exploration takes, and says of which states it depends on more than their key. */
const influences = (
  options: ElectionModel.Options,
  key: (peer: PeerKey.Peer) => string
): { readonly steps: number; readonly merged: number; readonly differ: ReadonlyArray<string> } => {
  const { Election } = Reducers.shipped
  const known = new Map<string, string>()
  const whole = new Set<string>()
  const differ: Array<string> = []
  const step: typeof Election.step = (ensemble, state, event) => {
    const [next, outputs] = Election.step(ensemble, state, event)
    const peer = (election: typeof state): PeerKey.Peer =>
      ({ index: Number(ensemble.mySid), up: true, election, history: { lastLoggedZxid: 0n, currentEpoch: 0n } })
    const plain = (value: unknown) =>
      JSON.stringify(value, (_, one: unknown) =>
        typeof one === "bigint" ? String(one) : one instanceof Set ? Array.from(one, String) : one)
    const before = `${key(peer(state))} ${plain(event)}`
    const sends = outputs.filter(({ _tag }) => _tag === "Send" || _tag === "Elected")
      .map((output) => plain(output._tag === "Elected" ? [output.vote, output.state] : output))
    const after = `${key(peer(next))} ${sends.join()}`
    whole.add(`${PeerKey.whole(peer(state))} ${plain(event)}`)
    if ((known.get(before) ?? after) !== after) differ.push(`${before}: ${known.get(before)} and ${after}`)
    known.set(before, after)
    return [next, outputs]
  }
  holds({ ...options, everything: true, reducers: { ...Reducers.shipped, Election: { ...Election, step } } })
  return { steps: whole.size, merged: whole.size - known.size, differ }
}

describe("what is not part of a state decides nothing", { timeout: 30_000 }, () => {
  it.each<[string, boolean, ElectionModel.Options]>([
    ["voters only", false, { peers: unlike, bounds: { rounds: 1, losses: 1, timeouts: 1, capacity: 1 } }],
    ["a search after another", false, { peers: alike, bounds: { rounds: 2, looks: 1, capacity: 1 } }],
    ["who has no vote is answered", true, {
      peers: [...alike.slice(0, 2), { sid: 3, role: "Observer" }],
      bounds: { rounds: 1, timeouts: 1, capacity: 1 }
    }],
    ["by the rules of ZooKeeper", false, {
      peers: alike,
      rules: "zookeeper",
      bounds: { rounds: 1, losses: 1, timeouts: 1, capacity: 1 }
    }]
  ])("%s", (_, answers, options) => {
    const { differ, merged } = influences(options, (peer) => PeerKey.of(peer, { answers, idles: false }))
    assert.deepStrictEqual(differ.slice(0, 3), [])
    assert.isAbove(merged, 20)
  })

  it("and this test would see it, if it did", () => {
    const blind = ({ election: { _tag, logicalClock, proposal }, index }: PeerKey.Peer) =>
      `${index} ${_tag} ${logicalClock} ${PeerKey.proposalKey(proposal)}`
    const { differ } = influences({ peers: alike, bounds: { rounds: 1, capacity: 1 } }, blind)
    assert.isNotEmpty(differ)
  })
})
