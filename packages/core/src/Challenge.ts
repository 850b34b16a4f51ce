/**
 * Who keeps a connection: of two peers, the one with the larger sid dials.
 *
 * Both may dial; the rule leaves one connection per pair. Java calls it winning
 * or losing the challenge.
 */
import type { Sid } from "./Sid.ts"

/**
 * What to do with a connection that we dialled, after our handshake is sent.
 * `Keep` it, or `Yield`: the other side has the larger sid, closes this one too
 * and dials us. Java: QuorumCnxManager.startConnection.
 */
export const onDialed = (mySid: Sid, sid: Sid): "Keep" | "Yield" => (sid > mySid ? "Yield" : "Keep")

/**
 * What to do with a connection that somebody dialled to us, after its handshake.
 * `Keep` it in place of any older one; `DialBack`: it has the smaller sid, so close
 * this one and dial; `Self`: it calls itself by our sid, a fault of configuration
 * of one of the two, so close it (the original leaves it open).
 * Java: QuorumCnxManager.handleConnection.
 */
export const onAccepted = (mySid: Sid, sid: Sid): "Keep" | "DialBack" | "Self" =>
  sid > mySid ? "Keep" : sid < mySid ? "DialBack" : "Self"
