import { assert, describe, it } from "@effect/vitest"
import type * as Election from "../src/Election.ts"
import * as Peer from "./support/Peer.ts"
import { majority } from "./support/Peer.ts"

type Presence = Election.Event & { readonly sid: bigint }

const peer = () => Peer.make({ mySid: 1, verifier: majority([1, 2, 3], { observers: [4] }) })

describe("who is not there", () => {
  it.each<readonly [what: string, events: ReadonlyArray<Presence>, absent: Record<string, string>]>([
    ["nobody, until something is known", [], {}],
    ["who refuses", [{ _tag: "PeerRefused", sid: 2n }], { 2: "Refused" }],
    ["who is unreachable", [{ _tag: "PeerUnreachable", sid: 2n }], { 2: "Unreachable" }],
    ["by what was found out last", [{ _tag: "PeerUnreachable", sid: 2n }, { _tag: "PeerRefused", sid: 2n }],
      { 2: "Refused" }],
    ["not who has come", [{ _tag: "PeerRefused", sid: 2n }, { _tag: "PeerConnected", sid: 2n }], {}],
    ["each for itself", [{ _tag: "PeerRefused", sid: 2n }, { _tag: "PeerUnreachable", sid: 3n }],
      { 2: "Refused", 3: "Unreachable" }],
    ["no observer and no stranger", [{ _tag: "PeerRefused", sid: 4n }, { _tag: "PeerRefused", sid: -9n }], {}]
  ])("%s", (_, events, absent) => {
    const states = [peer(), peer(), peer()]
    states[1]!.look()
    states[2]!.look()
    states[2]!.hears(1, "LOOKING", Peer.p(1), 1)
    for (const one of states) {
      for (const event of events) assert.deepStrictEqual(one.event(event), [])
      assert.deepStrictEqual(Object.fromEntries(one.state().absent), absent)
    }
  })

  it("is known through an election and after it", () => {
    const one = peer()
    one.event({ _tag: "PeerRefused", sid: 3n })
    one.look()
    one.hears(2, "LOOKING", Peer.p(2), 1)
    one.hears(1, "LOOKING", Peer.p(2), 1)
    one.finalize()
    assert.deepStrictEqual(one.settled().absent, new Map([[3n, "Refused"]]))
    one.event({ _tag: "LeaderLost" })
    assert.deepStrictEqual(one.state().absent, new Map([[3n, "Refused"]]))
  })

  it("is forgotten of who is no voter any more", () => {
    const one = Peer.make({ mySid: 1, verifier: majority([1, 2, 3]), reconfigEnabled: true })
    one.event({ _tag: "PeerRefused", sid: 2n })
    one.event({ _tag: "PeerRefused", sid: 3n })
    one.look()
    one.hears(2, "LOOKING", Peer.p(2), 1, { config: majority([1, 2], { version: 5 }).text })
    assert.deepStrictEqual(one.state().absent, new Map([[2n, "Refused"]]))
  })
})
