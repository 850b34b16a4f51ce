/**
 * What a leader tells people about its learners and its office, one line per fact.
 */
import * as Explain from "@conclave/core/Explain"
import type { CloseReason, Output } from "@conclave/core/LeaderOutput"
import * as Effect from "effect/Effect"

/** Tells a decision, if it is worth a line. */
export const tell = (output: Output): Effect.Effect<void> => {
  switch (output._tag) {
    case "EpochDecided":
      return Effect.logDebug(`epoch ${output.epoch} is decided: ${Explain.sids(output.supporters)} asked for one`)
    case "Activated":
      return Effect.logInfo(`leading in epoch ${output.epoch}: ${Explain.sids(output.supporters)} accepted it`)
    case "LearnerSynced":
      return Effect.logInfo(`server ${output.sid} ${output.votes ? "follows" : "observes"}`)
    case "SteppedDown":
      return Effect.logInfo(`leads no longer: ${Explain.steppedDown(output.reason)}`)
    case "Close":
      return close(output.sid === null ? "a learner" : `server ${output.sid}`, output.reason)
    default:
      return Effect.void
  }
}

const close = (who: string, reason: CloseReason): Effect.Effect<void> => {
  const line = `connection with ${who} closed: ${Explain.closed(reason)}`
  return reason === "SteppedDown" || reason === "Replaced" ? Effect.logDebug(line) : Effect.logWarning(line)
}
