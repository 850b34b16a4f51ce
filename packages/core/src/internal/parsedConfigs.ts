/**
 * Configuration texts from notifications, parsed once each.
 *
 * Peers send the same text with every message, and a text may be long. What is
 * kept changes no result, only how often it is computed.
 */
import type * as Result from "effect/Result"
import * as DynamicConfig from "../DynamicConfig.ts"
import type { Ensemble } from "../Ensemble.ts"
import type { InvalidConfig } from "../InvalidConfig.ts"
import type { QuorumVerifier } from "../QuorumVerifier.ts"

type Parsed = Result.Result<QuorumVerifier, InvalidConfig>

/** Texts kept for one peer: more configurations than this are not on their way at once. */
const TEXTS_MAX = 8

const byEnsemble = new WeakMap<Ensemble, Map<string, Parsed>>()

/** What a text means under the switches of this peer. */
export const parse = (ensemble: Ensemble, text: string, oraclePath: string | undefined): Parsed => {
  const texts = byEnsemble.get(ensemble) ?? new Map<string, Parsed>()
  byEnsemble.set(ensemble, texts)
  const key = `${oraclePath ?? ""}\n${text}`
  const known = texts.get(key)
  if (known !== undefined) return known
  const { multiAddress, standaloneEnabled } = ensemble
  const parsed = DynamicConfig.parse(text, { standaloneEnabled, multiAddress, oraclePath })
  const [oldest] = texts.keys()
  if (oldest !== undefined && texts.size >= TEXTS_MAX) texts.delete(oldest)
  texts.set(key, parsed)
  return parsed
}
