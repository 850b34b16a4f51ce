/**
 * A change of the ensemble, as a real leader tells its observers: the data of
 * INFORMANDACTIVATE.
 *
 *     i64  the designated leader
 *     i64  client, i32 cxid, i64 zxid, i64 time, i32 type      the header of a transaction
 *     i32  n, n bytes path; i32 m, m bytes data; i32 version   what is written to the tree
 *
 * The data is the text of the configuration. A digest may follow.
 *
 * Java: `Leader.buildInformAndActivePacket`, `SetDataTxn`, `Observer.processPacket`.
 */
import { decodeText, viewOf } from "./internal/bytes.ts"

/** The type of a reconfiguration. Java: ZooDefs.OpCode.reconfig. */
const RECONFIG = 16

const TYPE_AT = 8 + 8 + 4 + 8 + 8
const PATH_AT = TYPE_AT + 4

/** The configuration in it, as text; `null` if it is something else, or ends too early. */
export const configIn = (data: Uint8Array | null): string | null => {
  if (data === null || data.length < PATH_AT || viewOf(data).getInt32(TYPE_AT) !== RECONFIG) return null
  const path = bufferAt(data, PATH_AT)
  const config = path === null ? null : bufferAt(data, path.end)
  return config === null ? null : decodeText(config.bytes)
}

const bufferAt = (data: Uint8Array, offset: number) => {
  if (data.length < offset + 4) return null
  const length = viewOf(data).getInt32(offset)
  const end = offset + 4 + length
  return length < 0 || end > data.length ? null : { bytes: data.subarray(offset + 4, end), end }
}
