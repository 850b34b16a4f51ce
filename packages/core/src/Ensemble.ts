/**
 * What an election needs to know that it does not decide: who I am, how long to
 * wait, which rules hold, and who the members are.
 *
 * `Ensemble` is fixed for the life of a peer. `Membership` changes with
 * reconfiguration and is therefore part of the election's state.
 */
import type { LearnerType, QuorumServer } from "./QuorumServer.ts"
import type * as QuorumVerifier from "./QuorumVerifier.ts"
import * as Rules from "./Rules.ts"
import type { Sid } from "./Sid.ts"
import { hashOrder } from "./internal/hashOrder.ts"
import * as SidSet from "./internal/sidSet.ts"

/** A length of time in whole milliseconds. */
export type Millis = number

/** How long an election waits for what. */
export interface Timing {
  /** Silence after a quorum of votes before it is believed. Java: finalizeWait, 200 ms. */
  readonly finalizeWait: Millis
  /** Silence before the first repetition of our vote. Java: minNotificationInterval, 200 ms. */
  readonly minNotificationInterval: Millis
  /** Upper bound of that silence, which doubles each time. Java: maxNotificationInterval, 60,000 ms. */
  readonly maxNotificationInterval: Millis
}

/** What leader and learners count their patience in. */
export interface Ticks {
  /** The unit: a leader pings every half of it, and counts who answered once in it. Java: tickTime, 2,000 ms. */
  readonly tickTime: Millis
  /** Ticks that an epoch may take to be agreed on, and a learner to come in sync. Java: initLimit, 10. */
  readonly initLimit: number
  /** Ticks of silence after which leader and learner give each other up. Java: syncLimit, 5. */
  readonly syncLimit: number
}

/** The ticks of ZooKeeper's sample configuration. */
export const defaultTicks: Ticks = { tickTime: 2_000, initLimit: 10, syncLimit: 5 }

/** ZooKeeper's timing. Java: FastLeaderElection, its constants. */
export const defaultTiming: Timing = {
  finalizeWait: 200,
  minNotificationInterval: 200,
  maxNotificationInterval: 60_000
}

/** What is fixed for the life of a peer. */
export interface Ensemble {
  readonly mySid: Sid
  readonly rules: Rules.Rules
  readonly timing: Timing
  /**
   * May this voter be proposed? One that may not abstains until it has heard a
   * real proposal, and then votes like any other. Not in the original; its
   * messages are: an abstention looks like the vote of a server whose database
   * is not trusted, which every ZooKeeper ignores and answers.
   */
  readonly electable: boolean
  /** Is a newer configuration in a notification adopted? Java: reconfigEnabled. */
  readonly reconfigEnabled: boolean
  /** May a configuration have no or one voter? Java: standaloneEnabled. */
  readonly standaloneEnabled: boolean
  /** May a server line have several addresses? Java: multiAddress.enabled. */
  readonly multiAddress: boolean
}

/** An ensemble with ZooKeeper's defaults and Conclave's rules. */
export const make = (options: Partial<Ensemble> & Pick<Ensemble, "mySid">): Ensemble => ({
  rules: Rules.conclave,
  timing: defaultTiming,
  electable: true,
  reconfigEnabled: false,
  standaloneEnabled: true,
  multiAddress: false,
  ...options
})

/** The configurations in force and on their way, and who votes in either. */
export interface Membership {
  readonly committed: QuorumVerifier.QuorumVerifier
  /** A later configuration that is not committed yet, or the committed one. Java: lastSeenQuorumVerifier. */
  readonly lastSeen: QuorumVerifier.QuorumVerifier
  /** Do we vote, or only learn? */
  readonly learnerType: LearnerType
  /** The verifiers of which each must be satisfied: both while a newer one is pending. */
  readonly verifiers: ReadonlyArray<QuorumVerifier.QuorumVerifier>
  /**
   * Voters of either, in Java's order: who is told our votes and whose votes are
   * heard. Java: getCurrentAndNextConfigVoters.
   */
  readonly voters: ReadonlySet<Sid>
  /**
   * Our own entry, and while no configuration has one the last there was: a server that was removed still listens where
   * it did, for it may be added again. Java: QuorumPeer.setAddrs, only called where there is an entry.
   */
  readonly me: QuorumServer | null
}

/**
 * The membership of a committed configuration, and of a pending one if there is
 * any, as `mySid` has it. A server that the committed configuration does not
 * list takes part unless it is told that it observes.
 */
export const membership = (options: {
  readonly mySid: Sid
  readonly committed: QuorumVerifier.QuorumVerifier
  readonly lastSeen?: QuorumVerifier.QuorumVerifier | undefined
  readonly learnerType?: LearnerType | undefined
  readonly formerEntry?: QuorumServer | null | undefined
}): Membership => {
  const { committed, formerEntry = null, lastSeen = committed, mySid } = options
  return {
    committed,
    lastSeen,
    learnerType: options.learnerType ?? committed.servers.get(mySid)?.role ?? "participant",
    verifiers: lastSeen.version > committed.version ? [committed, lastSeen] : [committed],
    voters: SidSet.of(hashOrder(new Set([...committed.voters, ...lastSeen.voters]))),
    me: committed.servers.get(mySid) ?? lastSeen.servers.get(mySid) ?? formerEntry
  }
}

/** The membership after a newer configuration was adopted. Java: setQuorumVerifier, updateLearnerType. */
export const adopt = (self: Membership, mySid: Sid, committed: QuorumVerifier.QuorumVerifier): Membership =>
  membership({
    mySid,
    committed,
    lastSeen: committed.version > self.lastSeen.version ? committed : self.lastSeen,
    formerEntry: self.me
  })

/**
 * The membership after a configuration was seen that may come into force: from then on its voters vote too, and both
 * must agree. One that is no newer than the last seen changes nothing; the original complains of an older one and
 * stores it all the same. Java: setLastSeenQuorumVerifier.
 */
export const see = (self: Membership, mySid: Sid, lastSeen: QuorumVerifier.QuorumVerifier): Membership => {
  if (lastSeen.version <= self.lastSeen.version) return self
  const { committed, learnerType, me } = self
  return membership({ mySid, committed, lastSeen, learnerType, formerEntry: me })
}

/** What we are in the configuration in force; `null` where it does not list us, which gives no vote and hears all. */
export const roleOf = ({ committed }: Membership, mySid: Sid): LearnerType | null =>
  committed.servers.get(mySid)?.role ?? null
