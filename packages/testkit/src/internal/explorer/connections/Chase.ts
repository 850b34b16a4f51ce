/**
 * Is there a course without end, however fast timers are?
 *
 * From the start on nothing is done to anybody, and everything that can happen may, timers included. A course without
 * end that leaves something for ever that could happen all the time says nothing: nobody is as slow as that. So one is
 * looked for that leaves nothing. It is within states that all lead to each other; and within these there is one, and
 * only if, nothing could happen in all of them and happens between none.
 */
import type { Broken } from "../../../Explorer.ts"
import * as Actions from "./Actions.ts"
import * as Machine from "./Machine.ts"
import * as Progress from "./Progress.ts"
import * as Words from "./Words.ts"

/** Looks for such a course from this state; `null` if there is none. */
export const find = (machine: Machine.Machine, start: Words.Words): Broken | null => {
  const nodes = reach(machine, start)
  for (const part of parts(nodes)) {
    const inside = new Set(part)
    const first = Math.min(...part)
    const steps = nodes[first]!.edges.some(({ to }) => inside.has(to)) ? tour(nodes, inside, first) : null
    if (steps === null) continue
    const course = [...pathTo(nodes, first), ...steps]
    return Progress.tell(machine, course, Progress.endless, course.length - steps.length)
  }
  return null
}

// -----------------------------------------------------------------------------
// internal
// -----------------------------------------------------------------------------

interface Edge {
  readonly action: number
  readonly to: number
  /** Whose place has been taken by somebody else, so that what could happen to it is not the same any more. */
  readonly moved: ReadonlySet<number>
}

interface Node {
  readonly words: Words.Words
  /** The node it was found from, and the action; the first has none. */
  readonly parent: number
  readonly action: number
  /** To what something can happen. */
  readonly subjects: ReadonlySet<number>
  readonly edges: Array<Edge>
}

const reach = (machine: Machine.Machine, start: Words.Words): ReadonlyArray<Node> => {
  const numbers = new Map<string, number>()
  const nodes: Array<Node> = []
  const numberOf = (words: Words.Words, parent: number, action: number): number => {
    const key = words.join()
    const known = numbers.get(key)
    if (known !== undefined) return known
    numbers.set(key, nodes.length)
    return nodes.push({ words, parent, action, subjects: subjectsOf(machine, words), edges: [] }) - 1
  }
  numberOf(start.with(0, 0), -1, 0)
  for (let number = 0; number < nodes.length; number++) {
    const { edges, words } = nodes[number]!
    Actions.eachSoon(machine, words, (action) => {
      const next = words.slice()
      const { moved } = Machine.act(machine, next, action)
      const others = moved.flatMap(({ bundle, place }) => Actions.subjectsFrom(bundle, place))
      edges.push({ action, to: numberOf(next, number, action), moved: new Set(others) })
    })
  }
  return nodes
}

// A dial waits if there is no room, which is a bound of ours: it need not wait for ever.
const subjectsOf = (machine: Machine.Machine, words: Words.Words): ReadonlySet<number> => {
  const { layout, peers, setting } = machine
  const subjects = new Set<number>()
  Actions.eachSoon(machine, words, (action) => subjects.add(Actions.subject(action)))
  for (let peer = 0; peer < layout.peers; peer++) {
    for (const [sid, { stage }] of peers.get(words[Words.peerAt(peer)]!).dials) {
      if (stage === "Calling") subjects.add(Actions.subject(Actions.encode("Made", peer, setting.indexOf(sid))))
    }
  }
  return subjects
}

// Tarjan's algorithm, without recursion: the parts in which all lead to each other.
const parts = (nodes: ReadonlyArray<Node>): ReadonlyArray<ReadonlyArray<number>> => {
  const found: Array<ReadonlyArray<number>> = []
  const order = new Int32Array(nodes.length).fill(-1)
  const low = new Int32Array(nodes.length)
  const isOpen = new Uint8Array(nodes.length)
  const open: Array<number> = []
  const calls: Array<{ readonly node: number; edge: number }> = []
  let count = 0
  const enter = (node: number): void => {
    order[node] = low[node] = count++
    isOpen[node] = 1
    open.push(node)
    calls.push({ node, edge: 0 })
  }
  enter(0)
  for (let call = calls.at(-1); call !== undefined; call = calls.at(-1)) {
    const { node } = call
    const edge = nodes[node]!.edges[call.edge++]
    if (edge !== undefined) {
      if (order[edge.to] === -1) enter(edge.to)
      else if (isOpen[edge.to] === 1) low[node] = Math.min(low[node]!, order[edge.to]!)
      continue
    }
    calls.pop()
    const caller = calls.at(-1)
    if (caller !== undefined) low[caller.node] = Math.min(low[caller.node]!, low[node]!)
    if (low[node] !== order[node]) continue
    const part = open.splice(open.lastIndexOf(node))
    for (const member of part) isOpen[member] = 0
    found.push(part)
  }
  return found
}

// Round and back to where it began, until nothing is left that could have happened all the way and did not.
const tour = (
  nodes: ReadonlyArray<Node>,
  inside: ReadonlySet<number>,
  first: number
): ReadonlyArray<Progress.Taken> | null => {
  const steps: Array<Progress.Taken> = []
  let left: ReadonlySet<number> = nodes[first]!.subjects
  let at = first
  const walk = (isThere: (edge: Edge) => boolean): boolean => {
    const path = way(nodes, inside, at, isThere)
    for (const { edge, from } of path ?? []) {
      steps.push({ words: nodes[from]!.words, action: edge.action })
      left = after(nodes, left, edge)
      at = edge.to
    }
    return path !== null
  }
  while (left.size > 0) if (!walk((edge) => after(nodes, left, edge).size < left.size)) return null
  return at === first && steps.length > 0 ? steps : walk(({ to }) => to === first) ? steps : null
}

const after = (
  nodes: ReadonlyArray<Node>,
  left: ReadonlySet<number>,
  { action, moved, to }: Edge
): ReadonlySet<number> => {
  const subject = Actions.subject(action)
  const { subjects } = nodes[to]!
  return new Set(Array.from(left).filter((one) => one !== subject && !moved.has(one) && subjects.has(one)))
}

interface Stride {
  readonly from: number
  readonly edge: Edge
}

// The shortest way to the end of such an edge.
const way = (
  nodes: ReadonlyArray<Node>,
  inside: ReadonlySet<number>,
  start: number,
  isThere: (edge: Edge) => boolean
): ReadonlyArray<Stride> | null => {
  const strides = new Map<number, Stride | null>([[start, null]])
  for (const from of strides.keys()) {
    for (const edge of nodes[from]!.edges) {
      if (!inside.has(edge.to)) continue
      if (isThere(edge)) {
        const path: Array<Stride> = [{ from, edge }]
        for (let stride = strides.get(from); stride; stride = strides.get(stride.from)) path.push(stride)
        return path.reverse()
      }
      if (!strides.has(edge.to)) strides.set(edge.to, { from, edge })
    }
  }
  return null
}

const pathTo = (nodes: ReadonlyArray<Node>, number: number): ReadonlyArray<Progress.Taken> => {
  const path: Array<Progress.Taken> = []
  for (let node = nodes[number]!; node.parent >= 0; node = nodes[node.parent]!) {
    path.push({ words: nodes[node.parent]!.words, action: node.action })
  }
  return path.reverse()
}
