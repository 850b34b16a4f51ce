/**
 * How soon there is another leader when the leader's process ends: three real servers, then three of ours, with the
 * same ticks on the same machine. Measured is from the signal until a quorum is in sync with another leader, as that
 * leader tells it.
 *
 * `CONCLAVE_REPETITIONS` says how often, 10 unless given.
 */
import { describe, it } from "@effect/vitest"
import * as Samples from "../../../../packages/quorum-node/bench/Samples.ts"
import * as Mixed from "../support/Mixed.ts"
import * as PeerProcess from "../support/PeerProcess.ts"
import * as Transcript from "../support/Transcript.ts"
import * as ZooCfg from "../support/ZooCfg.ts"
import * as ZooKeeperServer from "../support/ZooKeeperServer.ts"

const repetitions = Number(process.env["CONCLAVE_REPETITIONS"] ?? 10)

const SIDS = [1n, 2n, 3n]

/** An ensemble whose leader can be ended. */
interface Contender {
  /** Ends the leader and gives the milliseconds until there is another; then all run again. */
  readonly failover: () => Promise<number>
}

// What the leader of real servers logs when a quorum has acknowledged NEWLEADER. Java: Leader.lead.
const ACTIVATED = / - Have quorum of supporters, /

const real = async (): Promise<Contender> => {
  const cfgs = await ZooCfg.write({ members: SIDS.map((sid) => ({ sid })) })
  let servers = await Mixed.startReal(cfgs, ...SIDS)
  return {
    failover: async () => {
      const leader = await Mixed.serving(servers)
      const left = servers.filter((server) => server !== leader)
      const from = left.map((server) => server.log().length)
      const start = performance.now()
      void leader.kill()
      await Promise.any(left.map((server, index) => server.waitForLog(ACTIVATED, from[index])))
      const took = performance.now() - start
      servers = [...left, await ZooKeeperServer.start(cfgs(leader.sid))]
      return took
    }
  }
}

const ours = async (): Promise<Contender> => {
  const cfgs = await ZooCfg.write({ members: SIDS.map((sid) => ({ sid })), keys: { "conclave.activation": true } })
  let peers = await Mixed.startOurs(cfgs, ...SIDS)
  let epoch = 0n
  return {
    failover: async () => {
      const last = await Promise.all(peers.map((peer) => PeerProcess.activated(peer, epoch)))
      epoch = last[0]!.epoch!
      const leader = peers.find(({ sid }) => sid === last[0]!.leader)!
      const left = peers.filter((peer) => peer !== leader)
      const outputs = left.map(({ child }) => child.stdout)
      const start = performance.now()
      void leader.kill("SIGKILL")
      await Transcript.until("another leader", outputs, PeerProcess.ELECTION_TIMEOUT_MS, () =>
        left.flatMap((peer) => peer.events()).find((event) =>
          event.event === "activated" && event.state === "LEADING" && (event.epoch ?? 0n) > epoch))
      const took = performance.now() - start
      peers = [...left, await PeerProcess.start(cfgs(leader.sid))]
      return took
    }
  }
}

const measure = async (contender: Contender): Promise<ReadonlyArray<number>> => {
  const samples: Array<number> = []
  while (samples.length < repetitions) samples.push(await contender.failover())
  return samples
}

describe("failover after kill -9", () => {
  it("of three real servers and of three of ours", async () => {
    const theirs = await measure(await real())
    const own = await measure(await ours())
    const row = (who: string, samples: ReadonlyArray<number>) => [
      who,
      `${samples.length}`,
      Samples.ms(Samples.median(samples)),
      Samples.ms(Samples.p90(samples)),
      (Samples.median(theirs) / Samples.median(samples)).toFixed(1)
    ]
    const heading = ["three of", "times", "median", "p90", "times as fast"]
    console.log(Samples.table([heading, row("ZooKeeper 3.8.0", theirs), row("ours", own)]))
  })
})
