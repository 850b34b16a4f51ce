/**
 * Everything that decides a simulation, as plain data: who takes part, what the network is like, which faults happen
 * when. Two simulations of the same scenario are the same, byte for byte.
 *
 * Times are in milliseconds of virtual time; ids, zxids and epochs are small, so that they are numbers here.
 */
import type { Ticks } from "@conclave/core/Ensemble"
import type { Lease } from "@conclave/core/Lease"
import type { Rules } from "@conclave/core/Rules"

/** A member, or somebody who thinks it is one. */
export interface Member {
  readonly sid: number
  /** `Stranger`: counts itself among the voters, and no other member does. */
  readonly role: "Voter" | "Observer" | "Stranger"
  /** Counts with weighted groups only. */
  readonly weight: number
  /** Counts with weighted groups only. */
  readonly group: number
  /** May it be proposed? */
  readonly electable: boolean
  /** By which rules it decides: a named set, or exactly these. `zookeeper` stands for a real server: no LeaderWatch. */
  readonly rules: "conclave" | "zookeeper" | ReadonlyArray<keyof Rules>
  /** What is on its disk before it starts for the first time. */
  readonly zxid: number
  readonly epoch: number
  /** How long a second of its clock takes, in hundredths: 200 is a clock that runs at half the speed. */
  readonly clock: number
  /** When it starts. */
  readonly starts: number
}

/** Something bad that begins `at` a time and lasts `for` a while, the end of the faults at most. */
export type Fault =
  & { readonly at: number }
  & (
    /** The process is gone and starts again; with the host (`power`) nobody is told, otherwise its connections end. */
    | { readonly _tag: "Crash"; readonly for: number; readonly sid: number; readonly power: boolean }
    /** The same, for whoever begins to store an epoch next: it may be durable then, and nobody was told. */
    | { readonly _tag: "CrashAtStore"; readonly for: number; readonly power: boolean }
    /** The process stands still. */
    | { readonly _tag: "Pause"; readonly for: number; readonly sid: number }
    /** Whoever leads under a lease and pings next stands still then, until so long after its lease has run out. */
    | { readonly _tag: "Oversleep"; readonly by: number }
    /** Nothing arrives from these at any other, and, both ways, nor from any other at these. */
    | {
      readonly _tag: "Cut"
      readonly for: number
      readonly from: ReadonlyArray<number>
      readonly both: boolean
    }
    /** The connection between two breaks, and what is on its way is lost. */
    | { readonly _tag: "Reset"; readonly between: readonly [number, number] }
    /** One cannot write to the other. */
    | { readonly _tag: "Clog"; readonly for: number; readonly from: number; readonly to: number }
    /** The application asks for a new election. */
    | { readonly _tag: "Look"; readonly sid: number }
    /** The application asks whoever leads to leave office, in favour of this server or of whoever is best. */
    | { readonly _tag: "Resign"; readonly to: number | null }
    /** The wall clock gets ahead by so much, as after a machine has slept. */
    | { readonly _tag: "Jump"; readonly sid: number; readonly by: number }
    /** Somebody connects, calls itself `as`, says `words` things that make little sense, and stays for a while. */
    | { readonly _tag: "Lie"; readonly for: number; readonly as: number; readonly to: number; readonly words: number }
    /** A newer configuration is `on` the disks of these, which start again: its voters vote, other members observe. */
    | {
      readonly _tag: "Reconfigure"
      readonly on: ReadonlyArray<number>
      readonly voters: ReadonlyArray<number>
    }
  )

/** A whole simulation before it runs. */
export interface Scenario {
  /** Of what is drawn while it runs: how long a message takes, which is lost. */
  readonly seed: number
  /** By whom a quorum is made up. `Oracle`: two voters, and a file that speaks for the one with the larger id. */
  readonly quorum: "Majority" | "Weighted" | "Oracle"
  readonly members: ReadonlyArray<Member>
  /** Who votes in a configuration that all know and that is not committed yet; `null` if there is none. Both decide. */
  readonly pending: ReadonlyArray<number> | null
  /** How long a message, or one way of a handshake, takes. */
  readonly latency: readonly [least: number, most: number]
  /** How long a message to oneself takes at most. */
  readonly loopback: number
  /** Messages lost without a word while the faults last, per hundred. */
  readonly loss: number
  /** Messages that come twice while the faults last, per hundred. */
  readonly duplication: number
  /** Do messages go through bytes? The same either way, only slower; so it is drawn now and then. */
  readonly bytes: boolean
  /** Are there leaders and learners, or elections alone? Without them there is what `LeaderWatch` notices. */
  readonly activation: boolean
  readonly ticks: Ticks
  /** The lease that all members have; `null` for the fenced contract. With one no clock may drift more than it says. */
  readonly lease: Lease | null
  /** How long it takes at most until something is durable. */
  readonly storing: number
  /** Of a hundred things that are to be stored so many cannot be, while the faults last. */
  readonly storingFails: number
  /** Java: maxNotificationInterval. */
  readonly maxNotificationInterval: number
  /** When all faults end. */
  readonly faultsUntil: number
  readonly faults: ReadonlyArray<Fault>
}

/** Has any member reason to believe what is not so? Then what all have in common need not hold. */
export const isHonest = ({ faults, members }: Scenario): boolean =>
  faults.every(({ _tag }) => _tag !== "Lie") && members.every(({ role }) => role !== "Stranger")

/** Does the set of voters stay as it is? */
export const isStatic = ({ faults }: Scenario): boolean => faults.every(({ _tag }) => _tag !== "Reconfigure")
