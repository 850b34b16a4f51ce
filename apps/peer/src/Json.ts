/**
 * JSON in one line, with 64-bit numbers as the integers they are.
 *
 * A zxid may not fit a JavaScript number. It is written with all its digits, which
 * is valid JSON; a reader that keeps only 53 bits has to read such fields as text.
 */

// Not in TypeScript's library yet.
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown }

/** The value as one line. Sets become arrays. */
export const stringify = (value: unknown): string =>
  JSON.stringify(value, (_, field) =>
    typeof field === "bigint"
      ? rawJSON(field.toString())
      : field instanceof Set
      ? Array.from(field)
      : field)
