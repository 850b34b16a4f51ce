/**
 * The machine stops while an epoch is written: whatever is left of it, the peer never promises less than it has
 * promised before, and it starts again.
 *
 * Every operation is tried as the last one, and everything that the disk may hold then. A promise is what a setter has
 * returned for, and what was read: both may have been told to others.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import type { EpochFileError } from "../src/EpochFiles.ts"
import * as FileHistory from "../src/FileHistory.ts"
import type { Facts, HistoryError } from "../src/History.ts"
import * as SimulatedDisk from "./SimulatedDisk.ts"

interface Promises {
  readonly acceptedEpoch: bigint
  readonly currentEpoch: bigint
}

type Raise = readonly [set: "setAcceptedEpoch" | "setCurrentEpoch", epoch: bigint]

/** Numbers of which a beginning is a smaller number. */
const raises: ReadonlyArray<Raise> = [
  ["setAcceptedEpoch", 9n],
  ["setCurrentEpoch", 9n],
  ["setAcceptedEpoch", 12n],
  ["setCurrentEpoch", 12n],
  ["setCurrentEpoch", 130n]
]

interface Life {
  readonly promises: Promises
  /** How many operations it took. */
  readonly operations: number
  readonly errors: ReadonlyArray<EpochFileError | HistoryError>
}

const noPromises: Promises = { acceptedEpoch: 0n, currentEpoch: 0n }

const max = (a: bigint, b: bigint) => (a > b ? a : b)

const both = (a: Promises, b: Promises): Promises => ({
  acceptedEpoch: max(a.acceptedEpoch, b.acceptedEpoch),
  currentEpoch: max(a.currentEpoch, b.currentEpoch)
})

/** One process over a disk, from its start until it has done everything or the machine stops. */
const live = (
  disk: SimulatedDisk.Disk,
  before: Promises,
  script: ReadonlyArray<Raise>,
  plan: SimulatedDisk.Plan = {},
  sin?: SimulatedDisk.Sin
): Life => {
  const { fileSystem, operations } = SimulatedDisk.mount(disk, plan, sin)
  const errors: Array<EpochFileError | HistoryError> = []
  let promises = before
  const told = ({ acceptedEpoch, currentEpoch }: Facts) => {
    promises = both(promises, { acceptedEpoch, currentEpoch })
  }
  const process = Effect.gen(function*() {
    const history = yield* FileHistory.make({ dataDir: "/data" })
    told(yield* history.read)
    for (const [set, epoch] of script) {
      const before = yield* history.read
      const error = yield* Effect.flip(history[set](epoch)).pipe(Effect.orElseSucceed(() => undefined))
      const after = yield* history.read
      if (error === undefined) {
        assert.isTrue((set === "setAcceptedEpoch" ? after.acceptedEpoch : after.currentEpoch) >= epoch)
      } else {
        errors.push(error)
        // Nothing is promised that may not be on the disk.
        assert.strictEqual(set === "setAcceptedEpoch" ? after.acceptedEpoch : after.currentEpoch,
          set === "setAcceptedEpoch" ? before.acceptedEpoch : before.currentEpoch)
      }
      told(after)
    }
  }).pipe(Effect.provide(Layer.merge(Layer.succeed(FileSystem.FileSystem, fileSystem), Path.layer)))
  const exit = Effect.runSyncExit(process)
  if (Exit.isFailure(exit)) {
    const error = Cause.squash(exit.cause)
    if (error === SimulatedDisk.crash) return { promises, operations: operations(), errors }
    if (!Cause.hasFails(exit.cause)) throw error
    errors.push(error as EpochFileError | HistoryError)
  }
  return { promises, operations: operations(), errors }
}

/** What came of starting again over what was left. */
interface Verdicts {
  readonly kept: number
  readonly lower: number
  readonly refused: number
}

const fresh: SimulatedDisk.Image = { data: { myid: "1" } }

// What is left is often the same.
const known = new Map<string, Promises | null>()

/** Starts again over everything that may be left when the machine stops now. */
const makeJudge = () => {
  let verdicts: Verdicts = { kept: 0, lower: 0, refused: 0 }
  const begin = (image: SimulatedDisk.Image): Promises | null => {
    const key = SimulatedDisk.keyOf(image)
    const again = known.get(key)
    if (again !== undefined) return again
    const { errors, promises } = live(SimulatedDisk.make(image), noPromises, [])
    const result = errors.length > 0 ? null : promises
    known.set(key, result)
    return result
  }
  const stop = (disk: SimulatedDisk.Disk, { acceptedEpoch, currentEpoch }: Promises): void => {
    for (const image of SimulatedDisk.afterCrash(disk)) {
      const found = begin(image)
      const verdict = found === null
        ? "refused"
        : found.acceptedEpoch < acceptedEpoch || found.currentEpoch < currentEpoch ? "lower" : "kept"
      verdicts = { ...verdicts, [verdict]: verdicts[verdict] + 1 }
    }
  }
  return { stop, verdicts: () => verdicts }
}

/** All ways to stop the machine during the first life of a peer. */
const explore = (
  { fault, script = raises, sin }: {
    readonly script?: ReadonlyArray<Raise>
    readonly sin?: SimulatedDisk.Sin
    readonly fault?: SimulatedDisk.Fault
  } = {}
): Verdicts => {
  const judge = makeJudge()
  const faulty = fault === undefined ? {} : { fault }
  const { operations } = live(SimulatedDisk.make(fresh), noPromises, script, faulty, sin)
  for (let crashAt = fault?.at ?? 1; crashAt <= operations + 1; crashAt++) {
    const disk = SimulatedDisk.make(fresh)
    judge.stop(disk, live(disk, noPromises, script, { crashAt, ...faulty }, sin).promises)
  }
  return judge.verdicts()
}

/** All ways to kill the process and start it again, and to stop the machine during that second life. */
const exploreTwoLives = (sin?: SimulatedDisk.Sin): Verdicts => {
  const judge = makeJudge()
  const first = live(SimulatedDisk.make(fresh), noPromises, raises).operations
  for (let killAt = 1; killAt <= first; killAt++) {
    const second = (crashAt?: number) => {
      const disk = SimulatedDisk.make(fresh)
      const { promises } = live(disk, noPromises, raises, { crashAt: killAt })
      const plan = crashAt === undefined ? {} : { crashAt }
      return { disk, ...live(disk, promises, [["setAcceptedEpoch", 131n]], plan, sin) }
    }
    const { operations } = second()
    for (let crashAt = 1; crashAt <= operations + 1; crashAt++) {
      const { disk, promises } = second(crashAt)
      judge.stop(disk, promises)
    }
  }
  return judge.verdicts()
}

// Thousands of lives take about a second; a busy machine may take its time.
const TEST_TIMEOUT_MS = 60_000

describe("the machine stops", { timeout: TEST_TIMEOUT_MS }, () => {
  it("at any operation of a first life: nothing promised is lost, and the peer starts again", () => {
    const { kept, lower, refused } = explore()
    assert.deepStrictEqual({ lower, refused }, { lower: 0, refused: 0 })
    assert.isAbove(kept, 100)
  })

  it("at any operation of the life after the process was killed at any operation", () => {
    const { kept, lower, refused } = exploreTwoLives()
    assert.deepStrictEqual({ lower, refused }, { lower: 0, refused: 0 })
    assert.isAbove(kept, 1_000)
  })

  it.each(["Before", "HalfWay", "Done"] as const)("after any operation failed: %s", (when) => {
    const { errors, operations } = live(SimulatedDisk.make(fresh), noPromises, raises)
    assert.deepStrictEqual(errors, [])
    for (let at = 1; at <= operations; at++) {
      const { lower, refused } = explore({ fault: { at, when } })
      assert.deepStrictEqual({ at, lower, refused }, { at, lower: 0, refused: 0 })
    }
  })
})

describe("an operation fails", () => {
  it("and the error tells what could not be done; what follows is written again", () => {
    const { operations } = live(SimulatedDisk.make(fresh), noPromises, [])
    const whole = live(SimulatedDisk.make(fresh), noPromises, raises)
    const beforeLast = live(SimulatedDisk.make(fresh), noPromises, raises.slice(0, -1)).operations
    for (let at = 1; at <= whole.operations; at++) {
      const fault: SimulatedDisk.Fault = { at, when: "Before" }
      const { errors, promises } = live(SimulatedDisk.make(fresh), noPromises, raises, { fault })
      const tags = errors.map(({ _tag }) => _tag)
      const [error] = errors
      if (at > operations) {
        assert.deepStrictEqual(tags, ["HistoryError"])
        assert.match(error!.message, /^\/data\/version-2\/(currentEpoch|acceptedEpoch) cannot be written: .*make room/)
      } else {
        assert.deepStrictEqual(tags.length, 1)
      }
      // Nothing follows the last one.
      if (at > operations && at <= beforeLast) assert.deepStrictEqual(promises, whole.promises)
    }
  })
})

describe("this test notices a writer that", { timeout: TEST_TIMEOUT_MS }, () => {
  it.each<readonly [sin: SimulatedDisk.Sin]>([
    ["FileNotFlushed"],
    ["DirectoryNotFlushed"],
    ["ParentNotFlushed"],
    ["RenamedBeforeFlushing"],
    ["WrittenInPlace"]
  ])("sins: %s", (sin) => {
    // What is never flushed may be left in ever more ways, so these lives are short.
    const script: ReadonlyArray<Raise> = [["setAcceptedEpoch", 9n], ["setAcceptedEpoch", 12n]]
    assert.isAbove(explore({ sin, script }).lower, 0)
  })

  it("sins: FoundNotFlushed, and believes what another process has not flushed", () => {
    assert.isAbove(exploreTwoLives("FoundNotFlushed").lower, 0)
  })
})
