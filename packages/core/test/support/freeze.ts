/** Makes a value and all within it immutable, maps and sets included: who writes to it throws. */
export const freeze = <A>(value: A): A => {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value
  if (value instanceof Map || value instanceof Set) {
    for (const method of ["set", "add", "delete", "clear"]) Object.defineProperty(value, method, { value: refuse })
    if (value instanceof Map) for (const [key, item] of value) freeze([key, item])
    else for (const item of value) freeze(item)
  }
  // Buffers cannot be frozen, and none is part of a state.
  if (value instanceof Uint8Array) return value
  Object.freeze(value)
  for (const item of Object.values(value)) freeze(item)
  return value
}

const refuse = (): never => {
  throw new TypeError("this value is frozen")
}
