import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as properties from "../src/internal/properties.ts"

type Row = readonly [key: string, value: string, line: number]

const rows = (text: string): ReadonlyArray<Row> =>
  Array.from(Result.getOrThrow(properties.parse(text)).values(), ({ key, line, value }) => [key, value, line])

describe("properties", () => {
  it.each<readonly [what: string, text: string, expected: ReadonlyArray<Row>]>([
    ["nothing", "", []],
    ["blank lines", "\n \t\f\r\n\r", []],
    ["comments, indented too", "# a=1\n ! b=2\nc=3", [["c", "3", 3]]],
    ["no comment after the key", "a=1 # one", [["a", "1 # one", 1]]],
    ["equals sign", "a=1", [["a", "1", 1]]],
    ["colon", "a:1", [["a", "1", 1]]],
    ["blank", "a 1", [["a", "1", 1]]],
    ["blanks around the separator", " a\t=\f 1 ", [["a", "1 ", 1]]],
    ["one separator only", "a==1\nb = : 2", [["a", "=1", 1], ["b", ": 2", 2]]],
    ["a key alone", "a", [["a", "", 1]]],
    ["a value alone", "=1", [["", "1", 1]]],
    ["every line end", "a=1\rb=2\r\nc=3\nd=4", [["a", "1", 1], ["b", "2", 2], ["c", "3", 3], ["d", "4", 4]]],
    ["the last of several counts, where it stands", "a=1\nb=2\na=3", [["a", "3", 3], ["b", "2", 2]]],
    ["escaped separators", "a\\=b\\:c\\ d=1", [["a=b:c d", "1", 1]]],
    ["escaped controls", "a=\\t\\n\\r\\f\\q\\\\", [["a", "\t\n\r\fq\\", 1]]],
    ["unicode", "\\u0061=\\u00e9\\uD83D\\uDE00", [["a", "é😀", 1]]],
    ["an escaped backslash before u", "a=\\\\u12", [["a", "\\u12", 1]]],
    ["an escaped comment sign", "\\#a=1", [["#a", "1", 1]]],
    ["continuation", "a=1,\\\n   2,\\\r\n\t3\nb=4", [["a", "1,2,3", 1], ["b", "4", 4]]],
    ["continuation inside the key", "a\\\n b=1", [["ab", "1", 1]]],
    ["two backslashes do not continue", "a=1\\\\\nb=2", [["a", "1\\", 1], ["b", "2", 2]]],
    ["a comment does not continue", "# a\\\nb=2", [["b", "2", 2]]],
    ["a comment sign in a continuation", "a=1\\\n#2", [["a", "1#2", 1]]],
    ["a comment after an empty beginning", "\\\n#2\nb=3", [["b", "3", 3]]],
    ["a blank line ends a continuation", "a=1\\\n\nb=2", [["a", "1", 1], ["b", "2", 3]]],
    ["a backslash at the end", "a=1\\", [["a", "1", 1]]],
    ["a backslash alone at the end is an empty key", "a=1\n\\\n", [["a", "1", 1], ["", "", 2]]]
  ])("%s", (_, text, expected) => {
    assert.deepStrictEqual(rows(text), expected)
  })

  it("remembers the lines that do not count", () => {
    const found = Result.getOrThrow(properties.parse("a=1\na=2\n\na=3"))
    assert.deepStrictEqual(found.get("a"), { key: "a", value: "3", line: 4, earlier: [1, 2] })
  })

  it.each([["a=1\nb=\\u12", 2], ["\\u00zz=1", 1], ["a=1\n\nb=\\\n\\u", 3], ["a=\\u\\n12ab", 1]])(
    "refuses malformed unicode in %j",
    (text, line) => {
      const { failure } = properties.parse(text) as Result.Failure<never, properties.MalformedProperty>
      assert.strictEqual(failure.line, line)
      assert.match(failure.problem, /^Malformed \\uxxxx encoding/)
    }
  )

  it.prop("escaping every character is undone", [Schema.String, Schema.String], ([key, value]) => {
    const escape = (text: string) =>
      Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, "0")}`).join("")
    // An empty line is no property, so the separator is always written.
    assert.deepStrictEqual(rows(`${escape(key)}=${escape(value)}`), [[key, value, 1]])
  })

  it.prop("every text has a result", [Schema.String], ([text]) => {
    const found = properties.parse(text)
    if (Result.isSuccess(found)) for (const [key, property] of found.success) assert.strictEqual(property.key, key)
    else assert.include(text, "\\u")
  })
})
