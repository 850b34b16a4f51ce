import { assert, describe, it } from "@effect/vitest"
import * as Connections from "../src/Connections.ts"
import type { CloseReason, Output } from "../src/ConnectionsOutput.ts"
import * as Ensemble from "../src/Ensemble.ts"
import * as QuorumVerifier from "../src/QuorumVerifier.ts"
import type { RuleSetName } from "../src/Rules.ts"
import * as Rules from "../src/Rules.ts"
import { OBSERVER_ID } from "../src/Sid.ts"
import { majority, server } from "./support/Peer.ts"

// We are server 2 of 1, 2 and 3, unless a test says otherwise.
const membership = Ensemble.membership({ mySid: 2n, committed: majority([1, 2, 3]) })

const step = (state: Connections.State, event: Connections.Event, rules: RuleSetName = "conclave") =>
  Connections.step({ mySid: 2n, membership, rules: Rules.named[rules], probeAddresses: true }, state, event)

interface Known {
  readonly links?: Readonly<Record<string, number>>
  readonly dialing?: ReadonlyArray<bigint>
  readonly callers?: Readonly<Record<string, ReadonlyArray<Address>>>
  readonly wanted?: Readonly<Record<string, number>>
  readonly observerCounter?: bigint
}

type Address = ReturnType<typeof at>

const numbers = (record: Readonly<Record<string, number>>): ReadonlyMap<bigint, number> =>
  new Map(Object.entries(record).map(([sid, number]) => [BigInt(sid), number]))

const state = (
  { callers = {}, dialing = [], links = {}, observerCounter = 0n, wanted = {} }: Known = {}
): Connections.State => ({
  links: numbers(links),
  wanted: numbers(wanted),
  dialing: new Set(dialing),
  callers: new Map(Object.entries(callers).map(([sid, announced]) => [BigInt(sid), announced])),
  observerCounter
})

const at = (host: string) => ({ host, port: 3888 })

const dial = (sid: bigint, host = `10.0.0.${sid}`): Output => ({ _tag: "Dial", sid, addresses: [at(host)] })

const adopt = (link: number, sid: bigint): Output => ({ _tag: "Adopt", link, sid })

const close = (
  link: number,
  sid: bigint,
  reason: CloseReason,
  linger = false
): Output => ({ _tag: "Close", link, sid, reason, linger })

const later = (sid: bigint, failures: number): Output => ({ _tag: "RedialLater", sid, failures })

const noAddress = (sid: bigint): Output => ({ _tag: "NoAddress", sid })

const accepted = (link: number, sid: bigint, ...hosts: ReadonlyArray<string>): Connections.Event => ({
  _tag: "Accepted",
  link,
  sid,
  announced: hosts.map(at)
})

type Row = readonly [
  what: string,
  before: Known,
  event: Connections.Event,
  after: Known,
  outputs: ReadonlyArray<Output>
]

const table = (rules: RuleSetName, rows: ReadonlyArray<Row>) =>
  it.each(rows)("%s", (_, before, event, after, outputs) => {
    const given = state(before)
    assert.deepStrictEqual(step(given, event, rules), [state(after), outputs])
    assert.deepStrictEqual(given, state(before), "the state before was changed")
  })

const both = (rows: ReadonlyArray<Row>) =>
  describe.each(["conclave", "zookeeper"] as const)("under the rules of %s", (rules) => table(rules, rows))

describe("a connection is asked for", () => {
  const ask = (sid: bigint): Connections.Event => ({ _tag: "ConnectRequested", sid })
  both([
    ["with a smaller sid: it is dialled", {}, ask(1n), { dialing: [1n] }, [dial(1n)]],
    ["with a larger sid: it is dialled", {}, ask(3n), { dialing: [3n] }, [dial(3n)]],
    ["while it is dialled", { dialing: [3n] }, ask(3n), { dialing: [3n] }, []],
    ["while another is dialled", { dialing: [1n] }, ask(3n), { dialing: [1n, 3n] }, [dial(3n)]],
    ["when there is one", { links: { 1: 7 } }, ask(1n), { links: { 1: 7 } }, []],
    ["with ourselves", {}, ask(2n), {}, []],
    ["with nobody we know", {}, ask(9n), {}, [noAddress(9n)]]
  ])
})

describe("a dial", () => {
  const dialed = (link: number, sid: bigint): Connections.Event => ({ _tag: "Dialed", link, sid })
  const failed = (sid: bigint): Connections.Event => ({ _tag: "DialFailed", sid })
  both([
    ["to a smaller sid is kept", { dialing: [1n] }, dialed(7, 1n), { links: { 1: 7 } }, [adopt(7, 1n)]],
    ["to a larger sid is yielded", { dialing: [3n] }, dialed(7, 3n), {}, [close(7, 3n, "Yielded")]],
    ["to a larger sid that dialled meanwhile is yielded", { dialing: [3n], links: { 3: 6 } }, dialed(7, 3n),
      { links: { 3: 6 } }, [close(7, 3n, "Yielded")]],
    ["to a sid that called meanwhile is kept, and the call forgotten", { dialing: [1n], callers: { 1: [] } },
      dialed(7, 1n), { links: { 1: 7 } }, [adopt(7, 1n)]],
    ["that fails is forgotten", { dialing: [1n, 3n] }, failed(1n), { dialing: [3n] }, []],
    ["that fails leaves the link there is", { dialing: [1n], links: { 1: 6 } }, failed(1n), { links: { 1: 6 } }, []],
    ["that fails is tried once more if the sid called meanwhile", { dialing: [1n], callers: { 1: [] } }, failed(1n),
      { dialing: [1n] }, [dial(1n)]],
    ["to one nobody knows is tried once more where it said it lives",
      { dialing: [-1n], callers: { "-1": [at("here")] } }, failed(-1n), { dialing: [-1n] }, [dial(-1n, "here")]]
  ])
  describe("when there is a link already", () => {
    const before = { dialing: [1n], links: { 1: 6 } }
    table("conclave", [
      ["replaces it, and the other side is left to close it", before, dialed(7, 1n), { links: { 1: 7 } },
        [close(6, 1n, "Replaced", true), adopt(7, 1n)]]
    ])
    table("zookeeper", [
      ["replaces it and closes it", before, dialed(7, 1n), { links: { 1: 7 } },
        [close(6, 1n, "Replaced"), adopt(7, 1n)]]
    ])
  })
})

describe("somebody who dialled us", () => {
  both([
    ["with a larger sid is kept", {}, accepted(7, 3n, "x"), { links: { 3: 7 } }, [adopt(7, 3n)]],
    ["with a larger sid is kept while we dial it", { dialing: [3n] }, accepted(7, 3n),
      { dialing: [3n], links: { 3: 7 } }, [adopt(7, 3n)]],
    ["with a larger sid replaces its older connection", { links: { 3: 6 } }, accepted(7, 3n), { links: { 3: 7 } },
      [close(6, 3n, "Replaced"), adopt(7, 3n)]],
    ["with a larger sid was overtaken by its newer connection", { links: { 3: 8 } }, accepted(7, 3n),
      { links: { 3: 8 } }, [close(7, 3n, "Overtaken")]],
    ["with a larger sid that nobody knows is kept", {}, accepted(7, 9n), { links: { 9: 7 } }, [adopt(7, 9n)]],
    ["with our own sid is hung up on", { links: { 3: 6 } }, accepted(7, 2n), { links: { 3: 6 } },
      [close(7, 2n, "OwnSid")]],
    ["with a smaller sid is dialled back", {}, accepted(7, 1n), { dialing: [1n] },
      [close(7, 1n, "DialingBack"), dial(1n)]],
    ["with a smaller sid is remembered while we dial it", { dialing: [1n] }, accepted(7, 1n, "x"),
      { dialing: [1n], callers: { 1: [at("x")] } }, [close(7, 1n, "DialingBack")]],
    ["with a smaller sid that nobody knows is dialled where it says", {}, accepted(7, -5n, "x"), { dialing: [-5n] },
      [close(7, -5n, "DialingBack"), dial(-5n, "x")]],
    ["with a smaller sid and no address cannot be dialled back", {}, accepted(7, -5n), {},
      [close(7, -5n, "DialingBack"), noAddress(-5n)]],
    ["as an anonymous observer gets the next negative sid", { observerCounter: -4n }, accepted(7, OBSERVER_ID, "x"),
      { dialing: [-5n], observerCounter: -5n }, [close(7, -5n, "DialingBack"), dial(-5n, "x")]]
  ])
  describe("with a smaller sid and a link", () => {
    const before = { links: { 1: 6 } }
    table("conclave", [
      ["keeps it until it is dialled back", before, accepted(7, 1n), { links: { 1: 6 }, dialing: [1n] },
        [close(7, 1n, "DialingBack"), dial(1n)]]
    ])
    table("zookeeper", [
      ["loses it and is dialled back", before, accepted(7, 1n), { dialing: [1n] },
        [close(6, 1n, "Replaced"), close(7, 1n, "DialingBack"), dial(1n)]],
      ["loses it also when it is being dialled", { ...before, dialing: [1n] }, accepted(7, 1n),
        { dialing: [1n], callers: { 1: [] } }, [close(6, 1n, "Replaced"), close(7, 1n, "DialingBack")]]
    ])
  })
  describe("with a smaller sid and an address that differs from the configuration's", () => {
    table("conclave", [
      ["is dialled where the configuration says", {}, accepted(7, 1n, "x"), { dialing: [1n] },
        [close(7, 1n, "DialingBack"), dial(1n)]]
    ])
    table("zookeeper", [
      ["is dialled where it says", {}, accepted(7, 1n, "x"), { dialing: [1n] },
        [close(7, 1n, "DialingBack"), dial(1n, "x")]],
      ["is dialled where the configuration says if it says nothing", {}, accepted(7, 1n), { dialing: [1n] },
        [close(7, 1n, "DialingBack"), dial(1n)]]
    ])
  })
})

describe("peers are wanted", () => {
  const want = (...sids: ReadonlyArray<bigint>): Connections.Event => ({ _tag: "Wanted", sids: new Set(sids) })
  const due = (sid: bigint): Connections.Event => ({ _tag: "RedialDue", sid })
  const closed = (link: number, sid: bigint, useful: boolean): Connections.Event => ({
    _tag: "Closed",
    link,
    sid,
    useful
  })
  both([
    ["who are neither linked nor dialled are dialled", { links: { 1: 6 } }, want(1n, 2n, 3n),
      { links: { 1: 6 }, dialing: [3n], wanted: { 1: 0, 3: 0 } }, [dial(3n)]],
    ["and others no longer, and failures are forgotten", { dialing: [3n], wanted: { 1: 4, 3: 5 } }, want(3n),
      { dialing: [3n], wanted: { 3: 0 } }, []],
    ["and one cannot be dialled: again later", { dialing: [3n], wanted: { 3: 1 } }, { _tag: "DialFailed", sid: 3n },
      { wanted: { 3: 2 } }, [later(3n, 2)]],
    ["and one that is linked cannot be dialled: no matter", { dialing: [1n], links: { 1: 6 }, wanted: { 1: 1 } },
      { _tag: "DialFailed", sid: 1n }, { links: { 1: 6 }, wanted: { 1: 1 } }, []],
    ["and we yield to one: it dials us, and if not we call again", { dialing: [3n], wanted: { 3: 0 } },
      { _tag: "Dialed", link: 7, sid: 3n }, { wanted: { 3: 1 } }, [close(7, 3n, "Yielded"), later(3n, 1)]],
    ["and we yield to one that has dialled us: all is well", { dialing: [3n], links: { 3: 6 }, wanted: { 3: 0 } },
      { _tag: "Dialed", link: 7, sid: 3n }, { links: { 3: 6 }, wanted: { 3: 0 } }, [close(7, 3n, "Yielded")]],
    ["and a useful connection with one is gone: at once", { links: { 1: 6 }, wanted: { 1: 3 } }, closed(6, 1n, true),
      { dialing: [1n], wanted: { 1: 0 } }, [dial(1n)]],
    ["and a useful connection with a larger one is gone: at once", { links: { 3: 6 }, wanted: { 3: 0 } },
      closed(6, 3n, true), { dialing: [3n], wanted: { 3: 1 } }, [dial(3n)]],
    ["and a useful connection with a larger one is gone soon after: it dials us, and if not we call later",
      { links: { 3: 6 }, wanted: { 3: 1 } }, closed(6, 3n, true), { wanted: { 3: 2 } }, [later(3n, 2)]],
    ["and a connection with one was of no use: later", { links: { 1: 6 }, wanted: { 1: 3 } }, closed(6, 1n, false),
      { wanted: { 1: 4 } }, [later(1n, 4)]],
    ["and the time has come: it is dialled", { wanted: { 3: 2 } }, due(3n), { wanted: { 3: 2 }, dialing: [3n] },
      [dial(3n)]],
    ["and the time has come, but it is linked: failures are forgotten", { links: { 3: 6 }, wanted: { 3: 2 } }, due(3n),
      { links: { 3: 6 }, wanted: { 3: 0 } }, []],
    ["and the time has come for one no longer wanted", {}, due(3n), {}, []]
  ])
})

describe("strangers", () => {
  const places = Array.from({ length: Connections.STRANGERS_MAX }, (_, index) => index)
  const many = Object.fromEntries(places.map((place) => [100 + place, 10 + place]))
  both([
    ["may be so many: another is hung up on", { links: many }, accepted(7, 99n), { links: many },
      [close(7, 99n, "TooManyStrangers")]],
    ["with a smaller sid may not be dialled back beyond that", { links: many }, accepted(7, -9n, "x"), { links: many },
      [close(7, -9n, "TooManyStrangers")]],
    ["may come again", { links: many }, accepted(50, 100n), { links: { ...many, 100: 50 } },
      [close(10, 100n, "Replaced"), adopt(50, 100n)]],
    ["keep out no member", { links: many }, accepted(7, 3n), { links: { ...many, 3: 7 } }, [adopt(7, 3n)]]
  ])
})

describe("a peer with several addresses", () => {
  const two = { ...server(1), addresses: [...server(1).addresses, { host: "b", quorumPort: 2888, electionPort: 3888 }] }
  const committed = QuorumVerifier.majority({ servers: [two, server(2)] })
  const view = (probeAddresses: boolean): Connections.View => ({
    mySid: 2n,
    membership: Ensemble.membership({ mySid: 2n, committed }),
    rules: Rules.conclave,
    probeAddresses
  })
  const linked = state({ links: { 1: 6 } })
  const ask: Connections.Event = { _tag: "ConnectRequested", sid: 1n }

  it("is asked whether the address of its connection still answers", () => {
    assert.deepStrictEqual(Connections.step(view(true), linked, ask), [linked, [{ _tag: "Probe", link: 6, sid: 1n }]])
    assert.deepStrictEqual(Connections.step(view(false), linked, ask), [linked, []])
  })

  it("loses a connection whose address does not answer, and only that", () => {
    const failed = (link: number): Connections.Event => ({ _tag: "ProbeFailed", link, sid: 1n })
    assert.deepStrictEqual(Connections.step(view(true), linked, failed(6)), [linked, [close(6, 1n, "Unreachable")]])
    assert.deepStrictEqual(Connections.step(view(true), linked, failed(5)), [linked, []])
  })
})

describe("a connection is gone", () => {
  const closed = (link: number, sid: bigint): Connections.Event => ({ _tag: "Closed", link, sid, useful: true })
  both([
    ["the present one", { links: { 1: 6, 3: 7 } }, closed(6, 1n), { links: { 3: 7 } }, []],
    ["one that was replaced", { links: { 1: 6 } }, closed(5, 1n), { links: { 1: 6 } }, []],
    ["the present one, while we dial", { links: { 1: 6 }, dialing: [1n] }, closed(6, 1n), { dialing: [1n] }, []],
    ["of a sid without any", {}, closed(5, 1n), {}, []]
  ])
})

describe("Connections.addressesOf", () => {
  const moved = { ...server(3), addresses: [{ host: "new", quorumPort: 2888, electionPort: 3888 }] }
  const pending = QuorumVerifier.majority({ version: 1n, servers: [server(1), moved, server(4)] })
  const changing = Ensemble.membership({ mySid: 2n, committed: majority([1, 2, 3]), lastSeen: pending })

  it.each<readonly [what: string, sid: bigint, hosts: ReadonlyArray<string>]>([
    ["the same in both, once", 1n, ["10.0.0.1"]],
    ["committed only", 2n, ["10.0.0.2"]],
    ["different, the committed one first", 3n, ["10.0.0.3", "new"]],
    ["pending only", 4n, ["10.0.0.4"]],
    ["in neither", 9n, []]
  ])("%s", (_, sid, hosts) => {
    assert.deepStrictEqual(Connections.addressesOf(changing, sid), hosts.map(at))
  })
})
