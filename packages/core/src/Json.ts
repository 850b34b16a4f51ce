/**
 * JSON in one line, with 64-bit numbers as the integers they are.
 *
 * A zxid may not fit a JavaScript number. It is written with all its digits, which
 * is valid JSON; a reader that keeps only 53 bits has to read such fields as text.
 */

// Not in TypeScript's library yet.
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown }

/** The value as one line. Sets become arrays, maps arrays of pairs, bytes hexadecimal digits. */
export const stringify = (value: unknown): string => JSON.stringify(value, plain)

/** The same, with the fields of every object in order of their names: two values are alike if their texts are. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, function(this: unknown, key, field) {
    const known = plain.call(this, key, field)
    return isRecord(known) && !isRaw(known)
      ? Object.fromEntries(Object.entries(known).sort(([a], [b]) => (a < b ? -1 : 1)))
      : known
  })

/** The value of a text; integers that do not fit a number are `bigint`. Throws a SyntaxError where it is no JSON. */
export const parse = (text: string): unknown =>
  (JSON.parse as ParseWithSource)(text, (_, value, { source }) =>
    typeof value === "number" && !Number.isSafeInteger(value) && integer.test(source ?? "") ? BigInt(source!) : value)

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

type ParseWithSource = (
  text: string,
  revive: (key: string, value: unknown, context: { readonly source?: string }) => unknown
) => unknown

const integer = /^-?\d+$/

const { isRawJSON: isRaw } = JSON as unknown as { readonly isRawJSON: (value: unknown) => boolean }

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

// Of Node's buffers only their holder has the bytes: what arrives here is what their own toJSON says.
function plain(this: unknown, key: string, field: unknown): unknown {
  if (typeof field === "bigint") return rawJSON(field.toString())
  // JSON has it, and JavaScript does not write it.
  if (Object.is(field, -0)) return rawJSON("-0")
  if (typeof field !== "object" || field === null) return field
  const held = (this as Record<string, unknown>)[key]
  if (held instanceof Uint8Array) return hex(held)
  return field instanceof Set || field instanceof Map ? Array.from(field) : field
}

const hex = (bytes: Uint8Array): string => {
  let text = ""
  for (const byte of bytes) text += byte < 16 ? `0${byte.toString(16)}` : byte.toString(16)
  return text
}
