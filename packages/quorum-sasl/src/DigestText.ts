/**
 * The text of a DIGEST-MD5 message: `name=value` with commas between, a value
 * being a token or a quoted string.
 *
 * Java: `com.sun.security.sasl.digest.DigestMD5Base.parseDirectives`. RFC 2831, 7.1.
 */
import * as Result from "effect/Result"

/** Directives in order, names in lower case. */
export type Directives = ReadonlyArray<readonly [name: string, value: string]>

/** Values that are written as they are, without quotes. */
export type Token = { readonly token: string }

/**
 * Reads a message; what is wrong with it is said in words, without its values.
 * With a directive `charset=utf-8` the values are UTF-8, otherwise ISO 8859-1.
 */
export const parse = (bytes: Uint8Array): Result.Result<Directives, string> =>
  Result.gen(function*() {
    const text = latin1(bytes)
    const found: Array<readonly [string, string]> = []
    let at = 0
    while (true) {
      at = skip(text, at, /[ \t\r\n,]*/y)
      if (at === text.length) break
      const name = take(text, at, TOKEN)
      at = skip(text, at + name.length, BLANKS)
      if (name === "" || text[at] !== "=") return yield* Result.fail(`no name=value at byte ${at}`)
      at = skip(text, at + 1, BLANKS)
      const raw = take(text, at, text[at] === "\"" ? QUOTED : TOKEN)
      if (raw === "") return yield* Result.fail(`no value at byte ${at}`)
      found.push([name.toLowerCase(), raw.startsWith("\"") ? raw.slice(1, -1).replaceAll(/\\(.)/gs, "$1") : raw])
      at = skip(text, at + raw.length, BLANKS)
      if (at < text.length && text[at] !== ",") return yield* Result.fail(`no comma at byte ${at}`)
    }
    const utf8 = found.some(([name, value]) => name === "charset" && value.toLowerCase() === "utf-8")
    return utf8 ? yield* asUtf8(found) : found
  })

/** The one value of a directive, `undefined` if it is not there; fails if there are several. */
export const single = (directives: Directives, name: string): Result.Result<string | undefined, string> => {
  const values = directives.filter(([key]) => key === name)
  return values.length > 1 ? Result.fail(`${name} is there ${values.length} times`) : Result.succeed(values[0]?.[1])
}

/** The one value of a directive that must be there. */
export const required = (directives: Directives, name: string): Result.Result<string, string> =>
  Result.flatMap(single(directives, name), (value) =>
    value === undefined ? Result.fail(`${name} is missing`) : Result.succeed(value))

/** Writes a message in UTF-8. Texts are quoted, tokens are not. */
export const format = (directives: ReadonlyArray<readonly [name: string, value: string | Token]>): Uint8Array =>
  encoder.encode(
    directives.map(([name, value]) =>
      typeof value === "string" ? `${name}="${value.replaceAll(/["\\]/g, "\\$&")}"` : `${name}=${value.token}`
    ).join(",")
  )

// RFC 2616, 2.2: neither control characters nor separators; what is not ASCII is let through.
const TOKEN = /[!#$%&'*+\-.0-9A-Z^_`a-z|~\x80-\xff]+/y
const QUOTED = /"(?:[^"\\]|\\.)*"/sy
const BLANKS = /[ \t\r\n]*/y

const take = (text: string, at: number, pattern: RegExp): string => {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0] ?? ""
}

const skip = (text: string, at: number, pattern: RegExp): number => at + take(text, at, pattern).length

const asUtf8 = (directives: Directives): Result.Result<Directives, string> =>
  Result.try({
    try: () => directives.map(([name, value]) => [name, decoder.decode(fromLatin1(value))] as const),
    catch: () => "its charset is utf-8, but it has bytes that are none"
  })

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

// One character for each byte; the decoder of that name would read windows-1252.
const latin1 = (bytes: Uint8Array): string => Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")

const fromLatin1 = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0))
