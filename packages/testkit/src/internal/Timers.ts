/**
 * The timers of a role, one of each name.
 *
 * One thing is due for each at most, however often it is put off, as pings do; when its time comes it sees whether it
 * has been.
 */
import { type Node, schedule, ticks, type World } from "./World.ts"

/** Timers by name. */
export type Timers<Name extends string> = Map<Name, Timer>

/** What is done when a timer fires. */
export type Fire<Name, Role> = (world: World, node: Node, role: Role, name: Name) => void

interface Timer {
  /** When it fires. */
  at: number
  /** For when something is on the agenda. */
  due: number
}

/** Fires after so many milliseconds of the node's clock, and not when it was to fire before. */
export const set = <Name extends string, Role extends { readonly timers: Timers<Name> }>(
  world: World,
  node: Node,
  role: Role,
  name: Name,
  millis: number,
  fire: Fire<Name, Role>
): void => {
  const timer = role.timers.get(name) ?? make(role, name)
  timer.at = world.now + ticks(node, millis)
  // Nothing is made for a timer that is only put off: pings do it all the time.
  if (timer.due > timer.at) arm(world, node, role, name, timer, fire)
}

/** Does not fire. */
export const cancel = <Name extends string>(timers: Timers<Name>, name: Name): void => {
  const timer = timers.get(name)
  if (timer !== undefined) timer.at = Infinity
}

/** None of them fires any more. */
export const clear = (timers: Timers<string>): void => {
  for (const timer of timers.values()) timer.at = Infinity
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

const make = <Name extends string>({ timers }: { readonly timers: Timers<Name> }, name: Name): Timer => {
  const timer: Timer = { at: Infinity, due: Infinity }
  timers.set(name, timer)
  return timer
}

const arm = <Name, Role>(
  world: World,
  node: Node,
  role: Role,
  name: Name,
  timer: Timer,
  fire: Fire<Name, Role>
): void => {
  const { at } = timer
  timer.due = at
  schedule(world, at - world.now, node, () => {
    if (timer.due !== at) return
    timer.due = Infinity
    if (timer.at === Infinity) return
    if (timer.at > world.now) return arm(world, node, role, name, timer, fire)
    timer.at = Infinity
    fire(world, node, role, name)
  })
}
