/**
 * A file system in memory that tells what is in its cache from what is on its disk, so that a test can stop the machine
 * at any operation and look at everything that may be left.
 *
 * On the disk is what was flushed. Of what was not, a crash leaves: of a file any version since, the beginning of the
 * last one, or zeros in its length; of a directory any of the changes since, in order, with or without those before.
 * That is more than most file systems do, and all that the standard allows them.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as PlatformError from "effect/PlatformError"

/** What is left on the disk: texts in files, by name. */
export type Image = string | { readonly [name: string]: Image }

/** What goes wrong at which operation, counted from 1. */
export interface Plan {
  /** Nothing happens any more from this operation on. */
  readonly crashAt?: number
  readonly fault?: Fault
}

/** One operation fails, before it did anything, half-way, or although it was done. */
export interface Fault {
  readonly at: number
  readonly when: "Before" | "HalfWay" | "Done"
}

/** Something a process would have to do to write safely, and this one does not. */
export type Sin =
  | "FileNotFlushed" | "DirectoryNotFlushed" | "RenamedBeforeFlushing" | "WrittenInPlace" | "FoundNotFlushed"
  | "ParentNotFlushed"

/** What ends every operation when the machine has stopped. */
export const crash = { _tag: "Crash" } as const

interface File {
  readonly _tag: "File"
  /** On the disk, and everything written since. The last is what can be read. */
  versions: ReadonlyArray<string>
  /** A flush has failed: without another change the next one does nothing, and succeeds. */
  failed: boolean
}

interface Directory {
  readonly _tag: "Directory"
  durable: Entries
  cached: Entries
  changes: ReadonlyArray<Change>
  failed: boolean
}

type Node = File | Directory

/** Why a file cannot be opened or read: it is not there, a directory, or there already. */
type Refused = typeof notFound | typeof noFile | typeof exists

const notFound = { refused: "NotFound" } as const
const noFile = { refused: "BadResource" } as const
const exists = { refused: "AlreadyExists" } as const

type Entries = ReadonlyMap<string, Node>

type Change = (entries: Entries) => Entries

/** A disk. What is in its cache survives the process, not the machine. */
export interface Disk {
  readonly root: Directory
}

/** A disk with this on it, everything flushed. */
export const make = (image: Image): Disk => {
  const root = nodeOf(image)
  if (root._tag !== "Directory") throw new Error("A disk is a directory")
  return { root }
}

/** Everything that may be on the disk if the machine stops now, each once. */
export const afterCrash = (disk: Disk): ReadonlyArray<Image> => outcomes(disk.root)

/** The file system as one process sees it, that does as planned; and how many operations it has done so far. */
export const mount = (disk: Disk, plan: Plan = {}, sin?: Sin) => {
  let count = 0
  let written = false
  let owed: File | undefined

  /** One operation: `perform` does it, perhaps only half of it. */
  const operation = <A>(method: string, path: string, perform: (half: boolean) => A | Refused) =>
    Effect.suspend((): Effect.Effect<A, PlatformError.PlatformError> => {
      count++
      if (plan.crashAt !== undefined && count >= plan.crashAt) return Effect.die(crash)
      const when = plan.fault?.at === count ? plan.fault.when : undefined
      if (when === "Before") return Effect.fail(failure(method, path, "Unknown"))
      const result = perform(when === "HalfWay")
      if (isRefused(result)) return Effect.fail(failure(method, path, result.refused))
      return when === undefined ? Effect.succeed(result) : Effect.fail(failure(method, path, "Unknown"))
    })

  const resolve = (path: string): Node | undefined =>
    path.split("/").filter((part) => part !== "").reduce<Node | undefined>(
      (node, name) => (node?._tag === "Directory" ? node.cached.get(name) : undefined),
      disk.root
    )

  const change = (path: string, make: (name: string) => Change): void => {
    const parent = resolve(path.slice(0, path.lastIndexOf("/")))
    if (parent?._tag !== "Directory") throw new Error(`${path} has no directory`)
    const made = make(nameOf(path))
    parent.cached = made(parent.cached)
    parent.changes = [...parent.changes, made]
    parent.failed = false
  }

  const place = (path: string): string => sin === "WrittenInPlace" ? path.replace(/\.tmp$/, "") : path

  const open: FileSystem.FileSystem["open"] = (given, options) => {
    const path = place(given)
    const flag = options?.flag ?? "r"
    return Effect.map(
      operation("open", path, () => {
        const found = resolve(path)
        if (flag === "r") return found ?? notFound
        written = true
        if (found !== undefined && flag === "wx" && sin !== "WrittenInPlace") return exists
        if (found?._tag === "File") return put(found, "")
        const file: File = { _tag: "File", versions: [""], failed: false }
        change(path, (name) => (entries) => new Map([...entries, [name, file]]))
        return file
      }),
      (node) => handle(path, flag, node)
    )
  }

  const handle = (path: string, flag: string, node: Node): FileSystem.File => {
    const ignored = (): boolean => {
      if (sin === "FileNotFlushed") return node._tag === "File"
      if (sin === "DirectoryNotFlushed") return node._tag === "Directory"
      if (sin === "ParentNotFlushed") return node._tag === "Directory" && !path.endsWith("version-2")
      return sin === "FoundNotFlushed" && !written
    }
    // Nothing but these is used.
    return {
      writeAll: (bytes: Uint8Array) =>
        operation("writeAll", path, (half) => {
          if (node._tag !== "File" || flag === "r") throw new Error(`${path} cannot be written`)
          const text = new TextDecoder().decode(half ? bytes.subarray(0, bytes.length / 2) : bytes)
          put(node, node.versions.at(-1)! + text)
        }),
      sync: operation("sync", path, (half) => {
        if (sin === "RenamedBeforeFlushing" && node._tag === "File" && flag !== "r") owed = node
        else if (half) node.failed = true
        else if (!ignored()) flush(node)
      })
    } as FileSystem.File
  }

  const fileSystem = FileSystem.makeNoop({
    open,
    exists: (path) => operation("exists", path, () => resolve(path) !== undefined),
    makeDirectory: (path) =>
      operation("makeDirectory", path, () => {
        const made = directory(new Map())
        change(path, (name) => (entries) => new Map([...entries, [name, made]]))
      }),
    readFileString: (path) =>
      operation("readFileString", path, () => {
        const found = resolve(path)
        return found === undefined || found._tag === "Directory"
          ? (found === undefined ? notFound : noFile)
          : found.versions.at(-1)!
      }),
    remove: (given) => {
      const path = place(given)
      return operation("remove", path, () => {
        // It may be missing.
        if (given !== path || resolve(path) === undefined) return
        change(path, (name) => (entries) => new Map(Array.from(entries).filter(([other]) => other !== name)))
      })
    },
    rename: (from, to) =>
      Effect.tap(
        operation("rename", from, () => {
          const node = resolve(place(from))
          if (node === undefined) return notFound
          if (place(from) !== to) change(to, (name) => (entries) => renamed(entries, nameOf(from), name, node))
          return undefined
        }),
        () => {
          const file = owed
          owed = undefined
          return file === undefined ? Effect.void : operation("sync", to, () => flush(file))
        }
      )
  })
  return { fileSystem, operations: () => count }
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const nodeOf = (image: Image): Node =>
  typeof image === "string"
    ? { _tag: "File", versions: [image], failed: false }
    : directory(new Map(Object.entries(image).map(([name, inner]) => [name, nodeOf(inner)])))

const directory = (entries: Entries): Directory => ({
  _tag: "Directory",
  durable: entries,
  cached: entries,
  changes: [],
  failed: false
})

const put = (file: File, text: string): File => {
  file.versions = [...file.versions, text]
  file.failed = false
  return file
}

const renamed = (entries: Entries, from: string, to: string, node: Node): Entries => {
  const left = new Map(entries)
  if (left.get(from) === node) left.delete(from)
  return left.set(to, node)
}

const flush = (node: Node): void => {
  if (node.failed) return
  if (node._tag === "File") {
    node.versions = node.versions.slice(-1)
  } else {
    node.durable = node.cached
    node.changes = []
  }
}

const outcomes = (node: Node): ReadonlyArray<Image> => {
  if (node._tag === "File") return textsOf(node)
  const images = subsets(node.changes).flatMap((kept) => {
    const entries = kept.reduce((before, made) => made(before), node.durable)
    return Array.from(entries).reduce<ReadonlyArray<Image>>(
      (before, [name, inner]) => {
        const inners = outcomes(inner)
        return before.flatMap((image) => inners.map((one): Image => ({ ...(image as object), [name]: one })))
      },
      [{}]
    )
  })
  return Array.from(new Map(images.map((image) => [keyOf(image), image])).values())
}

/** One text for each image, whatever the order of its entries. */
export const keyOf = (image: Image): string =>
  typeof image === "string"
    ? JSON.stringify(image)
    : `{${Object.entries(image).map(([name, inner]) => `${name}:${keyOf(inner)}`).toSorted().join()}}`

const textsOf = ({ versions }: File): ReadonlyArray<string> => {
  if (versions.length === 1) return versions
  const last = versions.at(-1)!
  const beginnings = Array.from(last, (_, length) => last.slice(0, length))
  return Array.from(new Set([...versions, ...beginnings, "\0".repeat(last.length)]))
}

// Each change doubles what may be left. Who flushes now and then has few of them.
const CHANGES_MAX = 10

const subsets = <A>(all: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> => {
  if (all.length > CHANGES_MAX) throw new Error(`${all.length} changes of a directory wait to be flushed`)
  return all.reduce<ReadonlyArray<ReadonlyArray<A>>>(
    (sets, one) => [...sets, ...sets.map((set) => [...set, one])],
    [[]]
  )
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1)

const isRefused = (result: unknown): result is Refused => [notFound, noFile, exists].some((reason) => reason === result)

const failure = (method: string, path: string, _tag: Refused["refused"] | "Unknown"): PlatformError.PlatformError =>
  PlatformError.systemError({ _tag, module: "FileSystem", method, pathOrDescriptor: path })
