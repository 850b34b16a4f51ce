import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { hashOrder } from "../src/internal/hashOrder.ts"

describe("hashOrder", () => {
  // Printed by java.util.HashMap<Long, String> of Java 17 after these keys were put in this order.
  it.each<readonly [what: string, keys: ReadonlyArray<bigint>, expected: ReadonlyArray<bigint>]>([
    ["nothing", [], []],
    ["small ids", [3n, 1n, 2n], [1n, 2n, 3n]],
    ["ids beyond the table", [33n, 17n, 16n, 1n, 15n, 2n], [16n, 33n, 17n, 1n, 2n, 15n]],
    [
      "twelve, the most for a table of 16",
      [12n, 11n, 10n, 9n, 8n, 7n, 6n, 5n, 4n, 3n, 2n, 20n],
      [2n, 3n, 4n, 20n, 5n, 6n, 7n, 8n, 9n, 10n, 11n, 12n]
    ],
    [
      "thirteen, for which it doubles",
      [12n, 11n, 10n, 9n, 8n, 7n, 6n, 5n, 4n, 3n, 2n, 20n, 1n],
      [1n, 2n, 3n, 4n, 5n, 6n, 7n, 8n, 9n, 10n, 11n, 12n, 20n]
    ],
    ["negative ids", [-1n, -2n, 1n, 2n, -16n, -17n, 0n], [-1n, -17n, 0n, -2n, 1n, 2n, -16n]],
    [
      "huge ids",
      [
        9223372036854775807n,
        -9223372036854775808n,
        4294967296n,
        4294967297n,
        -1n,
        9007199254740993n,
        281474976710656n,
        65536n,
        65537n,
        1048576n,
        21474836483n
      ],
      [
        9223372036854775807n,
        -9223372036854775808n,
        4294967297n,
        -1n,
        65537n,
        1048576n,
        4294967296n,
        9007199254740993n,
        281474976710656n,
        65536n,
        21474836483n
      ]
    ],
    [
      "a table of 32, with halves that differ",
      [
        -5025562857975149833n,
        -5843495416241995736n,
        5694868678511409995n,
        5111195811822994797n,
        -6169532649852302182n,
        -1782466964123969572n,
        6802844026563419272n,
        5086654115216342560n,
        8552898714322622292n,
        -4004755535478349341n,
        -1488139573943419793n,
        8051837266862454915n,
        -4613416830416070574n,
        7130900098642117381n,
        3272055439932147596n,
        -7482923245497525943n,
        3869528714570848026n,
        -3210362905434573697n,
        3176860285874836986n,
        -7610621359446545191n,
        -4588066762141701118n,
        -7912908803613548926n,
        -7747173299880867347n,
        -4565385657661118002n,
        579564241196435126n
      ],
      [
        -7482923245497525943n,
        -4613416830416070574n,
        -4588066762141701118n,
        -3210362905434573697n,
        -4004755535478349341n,
        6802844026563419272n,
        -7747173299880867347n,
        5694868678511409995n,
        3869528714570848026n,
        -1488139573943419793n,
        -6169532649852302182n,
        -1782466964123969572n,
        3176860285874836986n,
        -5843495416241995736n,
        5111195811822994797n,
        8552898714322622292n,
        579564241196435126n,
        7130900098642117381n,
        -4565385657661118002n,
        3272055439932147596n,
        -7610621359446545191n,
        -5025562857975149833n,
        8051837266862454915n,
        -7912908803613548926n,
        5086654115216342560n
      ]
    ]
  ])("%s", (_, keys, expected) => {
    assert.deepStrictEqual(hashOrder(keys), expected)
  })

  const keys = Arbitrary.map(Arbitrary.array(Arbitrary.schema(Schema.BigInt)), (list) =>
    Array.from(new Set(list.map((key) => BigInt.asIntN(64, key)))))

  it.prop("loses no key and invents none", [keys], ([keys]) => {
    assert.deepStrictEqual(new Set(hashOrder(keys)), new Set(keys))
    assert.strictEqual(hashOrder(keys).length, keys.length)
  })

  it.prop("is settled once printed: the order of the order is the same", [keys], ([keys]) => {
    assert.deepStrictEqual(hashOrder(hashOrder(keys)), hashOrder(keys))
  })
})
