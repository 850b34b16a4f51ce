/**
 * Integers as Java reads them.
 */
import * as Option from "effect/Option"
import * as Sid from "../Sid.ts"

/**
 * A signed 64-bit integer: an optional sign and digits, no blanks. Digits of other
 * scripts, which Java would take, are refused. Java: `Long.parseLong`.
 */
export const parseLong = (text: string, radix: 10 | 16): Option.Option<bigint> => {
  const match = (radix === 10 ? decimal : hexadecimal).exec(text)
  if (match === null) return Option.none()
  const magnitude = BigInt(radix === 10 ? match[2]! : `0x${match[2]}`)
  const value = match[1] === "-" ? -magnitude : magnitude
  return value >= Sid.MIN_VALUE && value <= Sid.MAX_VALUE ? Option.some(value) : Option.none()
}

// More digits than 64 bits can have are not converted at all: that takes long, and a peer may have sent them.
const decimal = /^([+-]?)0*(\d{1,19})$/
const hexadecimal = /^([+-]?)0*([0-9a-f]{1,16})$/i

/** The text without control characters and blanks at both ends. Java: `String.trim`. */
export const trim = (text: string): string => {
  let start = 0
  let end = text.length
  while (start < end && text[start]! <= " ") start++
  while (end > start && text[end - 1]! <= " ") end--
  return text.slice(start, end)
}
