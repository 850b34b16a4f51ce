import { assert, describe, it } from "@effect/vitest"
import { createHash } from "node:crypto"
import { freeze } from "../../core/test/support/freeze.ts"
import * as Campaign from "../src/Campaign.ts"
import * as Profile from "../src/Profile.ts"
import * as Reducers from "../src/Reducers.ts"
import * as ScenarioJson from "../src/ScenarioJson.ts"
import * as Simulator from "../src/Simulator.ts"

const names = Object.keys(Profile.profiles) as Array<Profile.ProfileName>

const SEEDS = 10

const lines = (name: Profile.ProfileName, peers: number, seed: number): ReadonlyArray<string> => {
  const scenario = Profile.draw(name, peers, seed)
  const log = [ScenarioJson.format(scenario)]
  Simulator.run(scenario, { log: (line) => log.push(line) })
  return log
}

const digest = (log: ReadonlyArray<string>): string => createHash("sha256").update(log.join("\n")).digest("hex")

describe.each(names)("%s", (name) => {
  it.each([2, 3, 4, 5, 7])("%i voters: what must hold holds, whatever happens", (peers) => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const violation = Campaign.check({ profile: name, peers, seed })
      if (violation === null) continue
      const { detail, property } = violation
      assert.fail(`${Simulator.explain(property)}: ${detail}; ${Campaign.command({ profile: name, peers }, seed)}`)
    }
  })

  it("the same seed gives the same bytes, and another seed others", () => {
    const first = lines(name, 5, 11)
    assert.isAbove(first.length, 100)
    assert.strictEqual(digest(lines(name, 5, 11)), digest(first))
    assert.notStrictEqual(digest(lines(name, 5, 12)), digest(first))
  })

  it("who watches changes nothing", () => {
    const scenario = Profile.draw(name, 5, 13)
    const { healed, stats } = Simulator.run(scenario)
    const watched = Simulator.run(scenario, {
      log: () => {},
      observe: ({ states }) => void states().size,
      observeLeadership: () => {}
    })
    assert.deepStrictEqual([watched.healed, watched.stats], [healed, stats])
  })

  it("no step changes what it was given", () => {
    const { Connections, Election, Leader, Learner } = Reducers.shipped
    const frozen: Reducers.Reducers = {
      ...Reducers.shipped,
      Election: {
        ...Election,
        step: (ensemble, state, event) => Election.step(freeze(ensemble), freeze(state), freeze(event))
      },
      Connections: {
        ...Connections,
        step: (view, state, event) => Connections.step(freeze(view), freeze(state), freeze(event))
      },
      Leader: {
        ...Leader,
        step: (options, state, event) => Leader.step(freeze(options), freeze(state), freeze(event))
      },
      Learner: {
        ...Learner,
        step: (options, state, event) => Learner.step(freeze(options), freeze(state), freeze(event))
      }
    }
    for (let seed = 1; seed <= 3; seed++) {
      const scenario = Profile.draw(name, 3, seed)
      assert.isNull(Simulator.run(scenario, { reducers: frozen }).violation)
    }
  })
})

describe("the simulator", () => {
  it("sees elections come and go: more than one to a run, and all kinds of events", () => {
    const events = new Set<string>()
    const outputs = new Set<string>()
    let elections = 0
    for (const name of names) {
      for (let seed = 1; seed <= 20; seed++) {
        const { stats } = Simulator.run(Profile.draw(name, 5, seed), {
          observe: ({ before, event, outputs: decided }) => {
            events.add(`${before._tag} ${event._tag}`)
            for (const output of decided) outputs.add(output._tag === "Ignored" ? output.reason : output._tag)
          }
        })
        elections += stats.elections
      }
    }
    assert.isAbove(elections, names.length * 20 * 1.5)
    assert.includeMembers([...events], [
      "Idle LookForLeader",
      "Idle Received",
      "Looking LookForLeader",
      "Looking Received",
      "Looking NotificationTimeout",
      "Looking FinalizeTimeout",
      "Looking PeerConnected",
      "Looking PeerRefused",
      "Looking PeerUnreachable",
      "Settled Received",
      "Settled LeaderLost",
      "Settled EpochEstablished",
      "Settled ConfigActivated"
    ])
    assert.includeMembers([...outputs], [
      "Reopened",
      "NotJoined",
      "VoterLooking",
      "IntervalReset",
      "ConnectAll",
      "AdoptConfig",
      "Restart",
      "UnknownState",
      "SenderNotVoter",
      "LeaderNotVoter",
      "SenderObserving",
      "OwnZxidUntrusted",
      "ZxidUntrusted",
      "LowerRound",
      "NotBetterWhileFinalizing"
    ])
  })

  it("notices a step that throws, and who talks without end", () => {
    const { Election } = Reducers.shipped
    const broken = (step: typeof Election.step): Reducers.Reducers => ({
      ...Reducers.shipped,
      Election: { ...Election, step }
    })
    const thrown = Simulator.run(Profile.draw("calm", 3, 1), {
      reducers: broken(() => {
        throw new Error("thrown on purpose")
      })
    })
    assert.strictEqual(thrown.violation?.property, "total")
    assert.include(thrown.violation?.detail, "thrown on purpose")
    // Whoever hears itself says it again.
    const echoing = broken((ensemble, state, event) => {
      const [next, outputs] = Election.step(ensemble, state, event)
      if (event._tag !== "Received" || event.notification.from !== ensemble.mySid) return [next, outputs]
      const { from: to, state: _, version: __, ...vote } = event.notification
      const toSend = { ...vote, to, state: "LOOKING", config: "" } as const
      return [next, [...outputs, { _tag: "Send", toSend, cause: "Silence" }]]
    })
    assert.strictEqual(Simulator.run(Profile.draw("calm", 3, 1), { reducers: echoing }).violation?.property, "endless")
  })
})
