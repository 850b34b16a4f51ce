/**
 * When a configuration learned from a notification may be written to disk.
 *
 * It is in force from the moment it is adopted, because a vote by the old one could
 * do harm. But any voter can send one, and what is on disk outlives the mistake: so
 * it is kept once our leader has said it too. Who only heard of a configuration has
 * promised nothing by it, and may forget it in a crash.
 *
 * ZooKeeper writes at once (reference: setQuorumVerifier with writeToDisk).
 */
import type { Settled } from "./Election.ts"
import type { Membership } from "./Ensemble.ts"
import type { Notification } from "./Notification.ts"
import type { Sid } from "./Sid.ts"
import * as SidMap from "./internal/sidMap.ts"

/** The configuration, as text, that each leader last said it leads by; voters only, which bounds it. */
export type Told = ReadonlyMap<Sid, string>

/** No leader has said anything. */
export const untold: Told = SidMap.empty

/** Takes what a leader says of itself. */
export const hear = (
  self: Told,
  { voters }: Membership,
  { config, from, leader, state }: Pick<Notification, "config" | "from" | "leader" | "state">
): Told => {
  if (state !== "LEADING" || from !== leader || config === null || !voters.has(from)) return self
  return self.get(from) === config ? self : SidMap.set(self, from, config)
}

/** Does the leader, which may be us, lead by the configuration that is in force here? */
export const isConfirmed = (self: Told, { currentVote, membership, state }: Settled): boolean =>
  state === "LEADING" || self.get(currentVote.leader) === membership.committed.text
