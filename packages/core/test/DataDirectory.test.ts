import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as DataDirectory from "../src/DataDirectory.ts"
import { dataFixture, hex } from "./support/Bytes.ts"

const names = (files: ReadonlyArray<DataDirectory.NamedFile>) => files.map(({ name }) => name)

describe("DataDirectory", () => {
  it("tries the newest snapshot first, each by its own codec", () => {
    const found = ["snapshot.9", "snapshot.20000000a.GZ", "log.1", "snapshot.200000009.snappy", "snapshot.a.tmp"]
    assert.deepStrictEqual(DataDirectory.snapshots(found), [
      { name: "snapshot.20000000a.GZ", zxid: 0x20000000an, codec: "Gzip" },
      { name: "snapshot.200000009.snappy", zxid: 0x200000009n, codec: "Snappy" },
      { name: "snapshot.a.tmp", zxid: 10n, codec: "Plain" },
      { name: "snapshot.9", zxid: 9n, codec: "Plain" }
    ])
  })

  it.each(["snapshot", "snapshot.", "snapshot.x", "snapshot.-1", "snapshot.11111111111111111", "Snapshot.1",
    "x.snapshot.1", "snapshots.1", "currentEpoch", "log.1"])("takes %s for no snapshot", (name) => {
    assert.deepStrictEqual(DataDirectory.snapshots([name]), [])
  })

  it.each<readonly [what: string, found: ReadonlyArray<string>, snapshot: bigint, read: ReadonlyArray<string>]>([
    ["no logs", ["snapshot.1"], 1n, []],
    ["all that begin after it and the one before", ["log.30", "log.1", "log.10", "log.20"], 0x1fn,
      ["log.10", "log.20", "log.30"]],
    ["from one that begins with the next transaction, the one before may go on", ["log.10", "log.20"], 0x1fn,
      ["log.10", "log.20"]],
    ["one that begins with the last transaction in the snapshot", ["log.10", "log.20"], 0x20n, ["log.20"]],
    ["all when the snapshot is older", ["log.10", "log.20"], 1n, ["log.10", "log.20"]],
    ["by number and not by name", ["log.9", "log.10"], 9n, ["log.9", "log.10"]]
  ])("reads %s", (_, found, snapshot, read) => {
    assert.deepStrictEqual(names(DataDirectory.logsAfter(DataDirectory.logs(found), snapshot)), read)
  })

  it.each<readonly [DataDirectory.Codec, head: string, tail: string, whole: boolean]>([
    ["Plain", "5a4b534e 00000002", "000000012f", true],
    ["Plain", "5a4b534e 00000002", "000000012e", false],
    ["Plain", "5a4b534e 00000002", "012f", false],
    ["Plain", "00012f", "000000012f", false],
    ["Gzip", "1f8b", "", true],
    ["Gzip", "1f", "", false],
    ["Gzip", "5a4b534e 00000002", "000000012f", false],
    ["Snappy", "82534e4150505900", "", true],
    ["Snappy", "82534e4150505901", "", false]
  ])("%s with %s ... %s looks whole: %s", (codec, head, tail, whole) => {
    assert.strictEqual(DataDirectory.looksWhole(codec, { head: hex(head), tail: hex(tail) }), whole)
  })

  it.each<readonly [DataDirectory.Codec, name: string]>([
    ["Plain", "snapshot.100000007"],
    ["Gzip", "snapshot.100000007.gz"],
    ["Snappy", "snapshot.100000007.snappy"]
  ])("takes the %s snapshot of a real server for whole", (codec, name) => {
    const bytes = dataFixture(name)
    const file = { head: bytes.subarray(0, DataDirectory.HEAD_SIZE), tail: bytes.subarray(-DataDirectory.TAIL_SIZE) }
    assert.isTrue(DataDirectory.looksWhole(codec, file))
  })

  it.each<readonly [hasLogs: boolean, snapshot: boolean, database: boolean, begins: bigint | undefined]>([
    [true, false, true, undefined],
    [true, false, false, undefined],
    [true, true, false, 0n],
    [false, false, true, 0n],
    [false, false, false, -1n]
  ])("without snapshot, logs %s, trust.empty %s, autocreate %s: begins at %s", (
    hasLogs,
    trustsEmptySnapshot,
    trustsEmptyDatabase,
    begins
  ) => {
    const zxid = DataDirectory.withoutSnapshot({ hasLogs, trustsEmptySnapshot, trustsEmptyDatabase })
    assert.strictEqual(Option.getOrUndefined(zxid), begins)
  })
})
