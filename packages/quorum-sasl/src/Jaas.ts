/**
 * Login configurations as Java reads them, as far as ZooKeeper's documentation
 * shows them:
 *
 *     QuorumLearner {
 *       org.apache.zookeeper.server.auth.DigestLoginModule required
 *       username="alice"
 *       password="secret";   // a comment, as is slash-star
 *     };
 *
 * A message about what is wrong never repeats the text: it may be a password.
 *
 * Java: `sun.security.provider.ConfigFile`.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/** A login configuration that cannot be used, and where it goes wrong, both from 1. Always our configuration. */
export class InvalidJaas extends Schema.TaggedError<InvalidJaas>()("InvalidJaas", {
  file: Schema.String,
  line: Schema.NullOr(Schema.Int),
  column: Schema.NullOr(Schema.Int),
  problem: Schema.String,
  remedy: Schema.String
}) {
  override get message(): string {
    const place = this.line === null ? "" : `, line ${this.line}, column ${this.column}`
    return `${this.file}${place}\n  problem: ${this.problem}\n  to do:   ${this.remedy}`
  }
}

/** One login module of a section, with its options. */
export interface LoginModule {
  /** The class, `org.apache.zookeeper.server.auth.DigestLoginModule`. */
  readonly name: string
  readonly options: ReadonlyMap<string, string>
  /** Where it begins. */
  readonly at: Position
}

/** A place in the file, from 1. */
export interface Position {
  readonly line: number
  readonly column: number
}

/** The login modules of each section. */
export type Jaas = ReadonlyMap<string, ReadonlyArray<LoginModule>>

/** Refuses a file for what stands at this place, or for what it lacks. */
export const refuse = (
  file: string,
  at: Position | null,
  problem: string,
  remedy: string
): Result.Result<never, InvalidJaas> =>
  Result.fail(new InvalidJaas({ file, line: at?.line ?? null, column: at?.column ?? null, problem, remedy }))

/** Reads the text of a file. */
export const parse = (text: string, file: string): Result.Result<Jaas, InvalidJaas> =>
  Result.mapError(
    Result.flatMap(tokenize(text), parseSections),
    ({ at, problem, remedy }) => new InvalidJaas({ file, ...at, problem, remedy })
  )

// -----------------------------------------------------------------------------
// sections
// -----------------------------------------------------------------------------

interface Fault {
  readonly at: Position
  readonly problem: string
  readonly remedy: string
}

const FLAGS = ["required", "requisite", "sufficient", "optional"]

const parseSections = (tokens: ReadonlyArray<Token>): Result.Result<Jaas, Fault> =>
  Result.gen(function*() {
    const cursor: Cursor = { tokens, index: 0 }
    const sections = new Map<string, ReadonlyArray<LoginModule>>()
    while (peek(cursor).kind !== "end") {
      const name = yield* take(cursor, ["word", "text"], "the name of a section", "write QuorumServer { ... };")
      if (sections.has(name.text)) return yield* fault(name.at, "there is a section of this name already", KEEP_ONE)
      yield* take(cursor, ["{"], "{ after the name of a section", "write QuorumServer { ... };")
      const modules: Array<LoginModule> = []
      while (peek(cursor).kind === "word") modules.push(yield* parseModule(cursor))
      yield* take(cursor, ["}"], "a login module, or }", "end a section with };")
      yield* take(cursor, [";"], "; after the } of a section", "end a section with };")
      sections.set(name.text, modules)
    }
    return sections
  })

const parseModule = (cursor: Cursor): Result.Result<LoginModule, Fault> =>
  Result.gen(function*() {
    const { at, text: name } = yield* take(cursor, ["word"], "a login module", "write its class")
    const flags = FLAGS.join(", ")
    const flag = yield* take(cursor, ["word"], `one of ${flags}`, "write required after the class of the login module")
    if (!FLAGS.includes(flag.text.toLowerCase())) {
      return yield* fault(flag.at, `this is none of ${flags}`, "write required after the class of the login module")
    }
    const options = new Map<string, string>()
    while (peek(cursor).kind === "word") {
      const key = yield* take(cursor, ["word"], "an option", "write name=\"value\"")
      if (options.has(key.text)) return yield* fault(key.at, "this option is there already", KEEP_ONE)
      yield* take(cursor, ["="], "= after the name of an option", "write name=\"value\", the value between quotes")
      const value = yield* take(cursor, ["word", "text"], "a value after =", "write name=\"value\"")
      if (value.text.includes("${")) {
        return yield* fault(value.at, "Java would put a system property in here", "write the value itself, without ${")
      }
      options.set(key.text, value.text)
    }
    yield* take(cursor, [";"], "another option, or ; after the last", "end a login module with ;")
    return { name, options, at }
  })

const KEEP_ONE = "keep one of the two"

// -----------------------------------------------------------------------------
// tokens
// -----------------------------------------------------------------------------

interface Token {
  /** A sign is its own kind. */
  readonly kind: "word" | "text" | "end" | "{" | "}" | ";" | "="
  readonly text: string
  readonly at: Position
}

interface Cursor {
  readonly tokens: ReadonlyArray<Token>
  index: number
}

// The last one is the end, and nobody goes past it.
const peek = ({ index, tokens }: Cursor): Token => tokens[index]!

const take = (
  cursor: Cursor,
  kinds: ReadonlyArray<Token["kind"]>,
  expected: string,
  remedy: string
): Result.Result<Token, Fault> => {
  const token = peek(cursor)
  if (!kinds.includes(token.kind)) return fault(token.at, `expected ${expected}; found ${found[token.kind]}`, remedy)
  cursor.index++
  return Result.succeed(token)
}

const found: Record<Token["kind"], string> = {
  word: "a word",
  text: "a text between quotes",
  end: "the end of the file",
  "{": "{",
  "}": "}",
  ";": ";",
  "=": "="
}

const tokenize = (text: string): Result.Result<ReadonlyArray<Token>, Fault> =>
  Result.gen(function*() {
    const tokens: Array<Token> = []
    let line = 1
    let start = 0
    for (const matched of text.matchAll(LEXEME)) {
      const [lexeme] = matched
      const { index } = matched
      const at = { line, column: index - start + 1 }
      const kind = kindOf(lexeme)
      if (kind === null) return yield* faultOf(lexeme, at)
      if (kind === "text") tokens.push({ kind, text: unescape(lexeme.slice(1, -1)), at })
      else if (kind !== "blank") tokens.push({ kind, text: lexeme, at })
      for (const { index: end, 0: ending } of lexeme.matchAll(LINE_END)) {
        line++
        start = index + end + ending.length
      }
    }
    tokens.push({ kind: "end", text: "", at: { line, column: text.length - start + 1 } })
    return tokens
  })

const LINE_END = /\r\n|\r|\n/g

// Blanks, comments, texts, signs, words; and what is none of them, one character.
const LEXEME = /\s+|\/\/.*|\/\*[^]*?\*\/|"(?:[^"\\\r\n]|\\.)*"|[{};=]|[\w$*.\-\u0080-\uffff]+|[^]/g

const kindOf = (lexeme: string): Token["kind"] | "blank" | null => {
  if (/^(\s|\/\/|\/\*)/.test(lexeme)) return "blank"
  if (lexeme.startsWith("\"")) return lexeme.length > 1 ? "text" : null
  if (lexeme === "{" || lexeme === "}" || lexeme === ";" || lexeme === "=") return lexeme
  return /^[\w$*.\-\u0080-\uffff]/.test(lexeme) ? "word" : null
}

const faultOf = (lexeme: string, at: Position): Result.Result<never, Fault> =>
  lexeme === "\""
    ? fault(at, "a text between quotes does not end on its line", "write \" at its end, and \\\" for a quote within")
    : fault(at, "this character has no place outside quotes", "put the value between quotes, or remove the character")

// As Java's StreamTokenizer: some letters, up to three octal digits, and otherwise the character itself.
const unescape = (text: string): string =>
  text.replaceAll(/\\([0-3]?[0-7]{1,2}|.)/g, (_, escape: string) =>
    /^[0-7]/.test(escape) ? String.fromCharCode(Number.parseInt(escape, 8)) : letters[escape] ?? escape)

const letters: Record<string, string> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v"
}

const fault = (at: Position, problem: string, remedy: string): Result.Result<never, Fault> =>
  Result.fail({ at, problem, remedy })
