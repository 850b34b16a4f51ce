/** The ensemble of a conversation, as its first command says. */
import * as Election from "../../src/Election.ts"
import * as Ensemble from "../../src/Ensemble.ts"
import * as QuorumVerifier from "../../src/QuorumVerifier.ts"
import * as Rules from "../../src/Rules.ts"
import * as Result from "effect/Result"
import { members } from "../support/Peer.ts"
import { lease, zxid } from "../support/Zab.ts"
import type { Command } from "./Script.ts"
import type { Peer, World } from "./World.ts"

/** `1,2,3` */
export const sids = (text = ""): ReadonlyArray<bigint> => text === "" ? [] : text.split(",").map(BigInt)

/** `1:7,2:9`, by server. */
const table = (text = ""): ReadonlyMap<bigint, string> =>
  new Map(text === "" ? [] : text.split(",").map((pair) => {
    const [sid = "", value = ""] = pair.split(":")
    return [BigInt(sid), value] as const
  }))

/** A zxid as `7`, or as `2.7`: the seventh of epoch 2. */
export const zxidOf = (text: string): bigint => {
  const [epoch = "0", counter] = text.split(".")
  return counter === undefined ? BigInt(epoch) : zxid([BigInt(epoch), BigInt(counter)])
}

/**
 * `voters=` and `observers=` by ids; `groups=1,2,3/4,5,6` and `weights=1:2`; what is on disks as `zxids=1:2.7` and
 * `epochs=1:2`; who is not `electable`, as `unelectable=1`; `rules=zookeeper`; `lease=50` in milliseconds.
 */
export const world = ({ options }: Command): World => {
  const committed = verifier(options)
  const [zxids, epochs] = [table(options.get("zxids")), table(options.get("epochs"))]
  const unelectable = sids(options.get("unelectable"))
  const rules = options.get("rules") === "zookeeper" ? Rules.zookeeper : Rules.conclave
  const peers = Array.from(committed.servers.keys(), (mySid): Peer => {
    const epoch = BigInt(epochs.get(mySid) ?? 0)
    return make(mySid, committed, {
      ensemble: Ensemble.make({ mySid, rules, reconfigEnabled: true, electable: !unelectable.includes(mySid) }),
      history: { acceptedEpoch: epoch, currentEpoch: epoch, lastLoggedZxid: zxidOf(zxids.get(mySid) ?? "0") }
    })
  })
  return {
    peers: new Map(peers.map((peer) => [peer.sid, peer])),
    lease: options.has("lease") ? { ...lease, duration: Number(options.get("lease")) } : null,
    items: [],
    groups: null,
    voted: new Map(),
    now: 0,
    links: new Map(),
    linksMade: 0
  }
}

/** A server that has never run, and a configuration on its disk. */
export const make = (
  sid: bigint,
  committed: QuorumVerifier.QuorumVerifier,
  { ensemble, history }: Pick<Peer, "ensemble" | "history">
): Peer => {
  const membership = Ensemble.membership({ mySid: sid, committed })
  return {
    sid,
    ensemble,
    membership,
    history,
    pledge: null,
    up: false,
    election: Election.make(ensemble, membership, history),
    role: null,
    timers: new Map()
  }
}

/** The configuration that these options describe; `version=` for a later one. */
export const verifier = (options: Command["options"]): QuorumVerifier.QuorumVerifier => {
  const observers = sids(options.get("observers"))
  const servers = members(sids(options.get("voters")), observers)
  const version = BigInt(options.get("version") ?? 0)
  const grouped = options.get("groups")
  if (grouped === undefined) return QuorumVerifier.majority({ servers, version })
  const groups = new Map(grouped.split("/").map((group, index) => [BigInt(index + 1), sids(group)]))
  const given = table(options.get("weights"))
  const weights = new Map(sids(options.get("voters")).map((sid) => [sid, BigInt(given.get(sid) ?? 1)]))
  return Result.getOrThrow(QuorumVerifier.hierarchical({ servers, version, groups, weights }))
}
