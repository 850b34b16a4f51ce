/**
 * Where Conclave decides otherwise than ZooKeeper 3.8.0, one switch per
 * difference.
 *
 * `zookeeper` has all of them off and reproduces the original decision for
 * decision. `conclave`, the default, has all of them on. Any mixture forms
 * ensembles with any other and with real servers: no rule changes a byte of a
 * message or what a quorum is.
 */

/** The switches. Each is the better behaviour when true, the original's when false. */
export interface Rules {
  /** Votes that arrive during the finalize wait are recorded like any others, instead of being forgotten. */
  readonly recordWhileFinalizing: boolean
  /**
   * What the main loop would ignore (strangers, older rounds, observers) cannot
   * re-open the vote during the finalize wait, nor restart the wait.
   */
  readonly filterWhileFinalizing: boolean
  /**
   * A vote that was recorded already does not restart a wait: not the finalize wait, which needs
   * `recordWhileFinalizing`, and not that before we ask again, once we have asked in vain. In the original every vote
   * does. A connection that keeps breaking brings the same one again each time, and so does who looks over and over,
   * because it cannot follow the leader: neither wait need ever end.
   */
  readonly waitOnRepetition: boolean
  /**
   * The finalize wait is over when nobody is left who could bring a better vote: every voter votes as we do, or its own
   * host refuses connections, so that its process is gone; if it comes back, it joins. Who has had no leader yet waits
   * for the latter, too, which may be about to start. The original always waits. Votes that come during the wait are
   * seen only with `recordWhileFinalizing`.
   */
  readonly endWaitWhenUnanimous: boolean
  /**
   * Who proposes a server that says itself that it votes for nobody, being not electable or without a database to be
   * trusted, begins a new round, and votes for it no more until it proposes itself; so does, after silence, who hears
   * that others vote for it. And a server that is not electable says so again to whoever votes for it. In the original
   * such a proposal, which takes a lie or a server that steps aside, is kept until something else ends the round; if it
   * is the better one, that may be never.
   */
  readonly leaveWhoAbstains: boolean
  /**
   * Who weighs nothing does not take office, though others vote for it, or say that it leads. The original asks for
   * weight only where it compares proposals.
   */
  readonly leadOnlyWithWeight: boolean
  /**
   * After silence, votes are sent again to each peer whose queue is drained and
   * connections are tried to each whose queue is not; the original does one or
   * the other for all, by whether any queue is drained.
   */
  readonly resendPerPeer: boolean
  /** A peer not heard before in this search resets the notification interval to its minimum. */
  readonly resetIntervalOnNewPeer: boolean
  /**
   * Who has no vote is answered only if it looks and can use the answer, and answers nobody itself. The original
   * answers whatever such a peer says, its answers too: an observer and a voter that looks answer each other without
   * end, as fast as the network carries it.
   */
  readonly answerQuestionsOnly: boolean
  /** A newer configuration in a notification is ignored unless reconfiguration is enabled. */
  readonly configOnlyIfEnabled: boolean
  /** A newer configuration is taken from voters only. */
  readonly configFromVotersOnly: boolean
  /**
   * A newer configuration must have voters, and a majority of the present ones. Ourselves it need not have: who joins
   * is in none yet, and who was removed would go on asking for votes, and counting some, by a configuration that the
   * others have left.
   */
  readonly configKeepsQuorum: boolean
  /**
   * A peer that a configuration knows is dialled at its configured addresses only; where its handshake says it
   * lives serves for peers that no configuration knows. The original believes the handshake.
   */
  readonly dialConfiguredAddresses: boolean
  /**
   * Dialled by a peer with a smaller id, we dial back and only then let go of the connection we had. The original
   * closes it first; when many peers start together their crossing dials tear down good connections again and again.
   */
  readonly redialBeforeClosing: boolean
  /** The oracle is asked about a leader only in an ensemble of two voters. */
  readonly oracleForTwoVotersOnly: boolean
}

/** ZooKeeper 3.8.0, decision for decision. */
export const zookeeper: Rules = {
  recordWhileFinalizing: false,
  filterWhileFinalizing: false,
  waitOnRepetition: false,
  endWaitWhenUnanimous: false,
  leaveWhoAbstains: false,
  leadOnlyWithWeight: false,
  resendPerPeer: false,
  resetIntervalOnNewPeer: false,
  answerQuestionsOnly: false,
  configOnlyIfEnabled: false,
  configFromVotersOnly: false,
  configKeepsQuorum: false,
  dialConfiguredAddresses: false,
  redialBeforeClosing: false,
  oracleForTwoVotersOnly: false
}

/** Every improvement on. The default. */
export const conclave: Rules = {
  recordWhileFinalizing: true,
  filterWhileFinalizing: true,
  waitOnRepetition: true,
  endWaitWhenUnanimous: true,
  leaveWhoAbstains: true,
  leadOnlyWithWeight: true,
  resendPerPeer: true,
  resetIntervalOnNewPeer: true,
  answerQuestionsOnly: true,
  configOnlyIfEnabled: true,
  configFromVotersOnly: true,
  configKeepsQuorum: true,
  dialConfiguredAddresses: true,
  redialBeforeClosing: true,
  oracleForTwoVotersOnly: true
}

/** The two named sets, by name. */
export const named = { conclave, zookeeper } as const

/** The name of a rule set that has one. */
export type RuleSetName = keyof typeof named
