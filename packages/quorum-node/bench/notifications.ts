/** What one core does with notifications, as figures. */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Notifications from "../../core/bench/notifications.ts"
import * as Samples from "./Samples.ts"

/** Prints how many are decoded and decided on in a second, and the ratio to JSON. */
export const run = Effect.suspend(() =>
  Console.log(`notifications: cut from the stream, decoded, decided on by a peer that looks\n${
    Samples.table([
      ["voters", "bytes each", "per second", "JSON there and back per second", "ratio"],
      ...[3, 9, 31].map(Notifications.measure).map(({ bytes, decided, json, voters }) => [
        `${voters}`,
        `${bytes}`,
        thousands(Samples.median(decided)),
        thousands(Samples.median(json)),
        (Samples.median(decided) / Samples.median(json)).toFixed(2)
      ])
    ])
  }`)
)

const thousands = (value: number): string => `${Math.round(value / 1000)} k`
