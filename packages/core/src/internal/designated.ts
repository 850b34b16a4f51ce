/**
 * Whom a leader that resigns names to lead next: the data of our COMMITANDACTIVATE, an i64.
 *
 * Java: the designated leader in `Leader.commitAndActivate`.
 */
import { viewOf } from "./bytes.ts"
import { NOBODY, type Sid } from "../Sid.ts"

/** The bytes, also for nobody. */
export const encode = (successor: Sid | null): Uint8Array => {
  const bytes = new Uint8Array(8)
  viewOf(bytes).setBigInt64(0, successor ?? NOBODY)
  return bytes
}

/** The server named; `null` if it is nobody, or there is too little. */
export const decode = (data: Uint8Array | null): Sid | null => {
  if (data === null || data.length < 8) return null
  const sid = viewOf(data).getBigInt64(0)
  return sid === NOBODY ? null : sid
}
