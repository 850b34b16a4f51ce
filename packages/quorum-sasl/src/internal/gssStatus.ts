/**
 * What the two numbers mean with which every function of GSS-API ends: the major
 * status is GSS-API's own (RFC 2744, 3.9), the minor one that of Kerberos.
 */
import * as Effect from "effect/Effect"
import { GssError } from "../Gss.ts"
import * as gssFunctions from "./gssFunctions.ts"

/** Does a context need another token of the other side? GSS_S_CONTINUE_NEEDED. */
export const continues = (major: number): boolean => (major & 1) !== 0

/** The major status of a call that did what it should, or else why not. */
export const check = (
  library: gssFunctions.Functions,
  major: number,
  minor: number
): Effect.Effect<number, GssError> => {
  if (major >>> ROUTINE_ERROR_OFFSET === 0) return Effect.succeed(major)
  const error = (major >>> ROUTINE_ERROR_OFFSET) & ROUTINE_ERROR_MASK
  const details = minor === 0 ? "" : text(library, minor, MECH_CODE)
  const said = error === FAILURE && details !== "" ? details : join(text(library, major, GSS_CODE), details)
  return Effect.fail(new GssError({ reason: reasonOf(error, minor), said }))
}

// GSS_C_ROUTINE_ERROR_OFFSET and GSS_C_ROUTINE_ERROR_MASK; above are errors in the call itself.
const ROUTINE_ERROR_OFFSET = 16
const ROUTINE_ERROR_MASK = 0xff

/** GSS_S_BAD_MECH and GSS_S_DEFECTIVE_TOKEN. */
const DEFECTIVE: ReadonlyArray<number> = [1, 9]

/** GSS_S_FAILURE, which says nothing that the minor status does not say. */
const FAILURE = 13

/** The codes for which text can be had: GSS_C_GSS_CODE and GSS_C_MECH_CODE. */
const GSS_CODE = 1
const MECH_CODE = 2

/** ERROR_TABLE_BASE_krb5: what stands in an error message of Kerberos is counted from here. */
const KRB5_BASE = -1765328384

/**
 * A ticket, or a principal, for which the keytab has no key, or another one: KRB_AP_ERR_BAD_INTEGRITY,
 * KRB_AP_ERR_NOT_US, KRB_AP_ERR_BADKEYVER, KRB_AP_ERR_NOKEY (RFC 4120, 7.5.9), KRB5KRB_AP_WRONG_PRINC,
 * KRB5_KT_NOTFOUND and KRB5_KT_KVNONOTFOUND.
 */
const KEYS: ReadonlyArray<number> = [31, 35, 44, 45, 144, 181, 230]

const reasonOf = (error: number, minor: number): GssError["reason"] => {
  if (DEFECTIVE.includes(error)) return "DefectiveToken"
  return KEYS.includes((minor | 0) - KRB5_BASE) ? "NoKey" : "Failed"
}

const text = (library: gssFunctions.Functions, code: number, kind: number): string => {
  const texts: Array<string> = []
  const more: [number] = [0]
  do {
    const buffer = {}
    library.displayStatus([0], code, kind, library.krb5, more, buffer)
    texts.push(new TextDecoder().decode(gssFunctions.take(library, buffer)))
  } while (more[0] !== 0)
  return texts.join(", ")
}

const join = (...parts: ReadonlyArray<string>): string => parts.filter((part) => part !== "").join(": ")
