/** What a worker is told, as one argument. */

/** The settings of one worker. */
export interface Settings {
  readonly sid: number
  /** Tells the incarnations of a server apart. */
  readonly process: number
  readonly voters: Readonly<Record<string, Voter>>
  readonly dataDir: string
  /** The file to which entries are appended. */
  readonly journal: string
  /** The socket of a resource that is written to while the worker leads; `null` for none. */
  readonly resource: string | null
  readonly timing: Timing
}

/** Where a voter is. */
export interface Voter {
  readonly host: string
  readonly quorumPort: number
  readonly electionPort: number
}

/** How patient an ensemble is. */
export interface Timing {
  readonly tickTime: number
  readonly initLimit: number
  readonly syncLimit: number
  /** In milliseconds. */
  readonly finalizeWait: number
  /** In milliseconds; `null` for leadership without a lease. */
  readonly lease: number | null
}
