/**
 * The functions that are put to the test: those of the core, as shipped.
 *
 * A simulation takes them as a value, so that a test can put a faulty one in place of one of them and see that it is
 * found. Whatever decides belongs in here; what a node does with a decision is in `internal/Node`.
 */
import * as Confirmation from "@conclave/core/Confirmation"
import * as Connections from "@conclave/core/Connections"
import * as Election from "@conclave/core/Election"
import * as Ensemble from "@conclave/core/Ensemble"
import * as Leader from "@conclave/core/Leader"
import * as Learner from "@conclave/core/Learner"
import * as Lease from "@conclave/core/Lease"
import * as Liveness from "@conclave/core/Liveness"
import * as NotificationCodec from "@conclave/core/NotificationCodec"
import * as QuorumVerifier from "@conclave/core/QuorumVerifier"

/** Everything that decides, by the names of its modules. */
export interface Reducers {
  readonly Confirmation: typeof Confirmation
  readonly Connections: typeof Connections
  readonly Election: typeof Election
  readonly Ensemble: typeof Ensemble
  readonly Leader: typeof Leader
  readonly Learner: typeof Learner
  readonly Lease: typeof Lease
  readonly Liveness: typeof Liveness
  readonly NotificationCodec: typeof NotificationCodec
  readonly QuorumVerifier: typeof QuorumVerifier
}

/** The core, as shipped. */
export const shipped: Reducers = {
  Confirmation,
  Connections,
  Election,
  Ensemble,
  Leader,
  Learner,
  Lease,
  Liveness,
  NotificationCodec,
  QuorumVerifier
}
