import * as MemoryNetwork from "../src/MemoryNetwork.ts"
import { type Connection, type ConnectionError, Transport } from "../src/Transport.ts"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"

const utf8 = (text: string) => new TextEncoder().encode(text)

const pullText = (connection: Connection) =>
  Effect.map(connection.pull, (chunks) => chunks.map((chunk) => new TextDecoder().decode(chunk)).join(" "))

// How it ended; nothing is ever insecure in memory.
const endOf = (error: ConnectionError) => (error._tag === "SocketError" ? error.reason._tag : error._tag)

const networked = <E>(
  test: (
    network: MemoryNetwork.MemoryNetwork["Service"]
  ) => Effect.Effect<void, E, Scope.Scope | MemoryNetwork.MemoryNetwork>
) => () => MemoryNetwork.MemoryNetwork.use(test).pipe(Effect.provide(MemoryNetwork.layer))

const listen = Effect.fnUntraced(function*(transport: Transport["Service"], host: string) {
  const accepted = yield* Queue.unbounded<Connection>()
  const { run } = yield* transport.listen({ host, port: 3888 })
  yield* Effect.forkScoped(
    run((connection) => Effect.andThen(Queue.offer(accepted, connection), Effect.never)),
    { startImmediately: true }
  )
  return accepted
})

// Ann has dialled Bob. `hangUp` is hers.
const annAndBob = Effect.gen(function*() {
  const network = yield* MemoryNetwork.MemoryNetwork
  const ann = yield* network.transport("ann")
  const bob = yield* network.transport("bob")
  const accepted = yield* listen(bob, "bob")
  const scope = yield* Scope.make()
  const near = yield* Scope.provide(ann.dial({ host: "bob", port: 3888 }), scope)
  const far = yield* Queue.take(accepted)
  return { accepted, ann, bob, far, hangUp: Scope.close(scope, Exit.void), near, network }
})

const fork = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.forkScoped(effect, { startImmediately: true })

const isWaiting = (fiber: Fiber.Fiber<unknown, unknown>) => fiber.pollUnsafe() === undefined

describe("MemoryNetwork", () => {
  it.effect("does not know a host that never lived there, refuses for one that has gone", networked(
    Effect.fnUntraced(function*(network) {
      const ann = yield* network.transport("ann")
      const unknown = yield* Effect.flip(ann.dial({ host: "bob", port: 3888 }))
      assert.strictEqual(unknown.reason, "Unresolved")
      yield* Effect.scoped(Effect.flatMap(network.transport("bob"), (bob) => listen(bob, "bob")))
      const gone = yield* Effect.flip(ann.dial({ host: "bob", port: 3888 }))
      assert.strictEqual(gone.reason, "Refused")
    })
  ))

  it.effect("listens on its own names only, on all of them with a wildcard", networked(
    Effect.fnUntraced(function*(network) {
      const bob = yield* network.transport("bob", "bob-b")
      const foreign = yield* Effect.flip(bob.listen({ host: "ann", port: 3888 }))
      assert.include(foreign.message, "address not available")
      const accepted = yield* listen(bob, "0.0.0.0")
      const taken = yield* Effect.flip(bob.listen({ host: "bob-b", port: 3888 }))
      assert.include(taken.message, "address already in use")
      for (const host of ["bob", "bob-b"]) {
        yield* bob.dial({ host, port: 3888 })
        yield* Queue.take(accepted)
      }
    })
  ))

  it.effect("a partition hangs dials until heal, and interrupting one leaves nothing", networked(
    Effect.fnUntraced(function*(network) {
      const ann = yield* network.transport("ann")
      const accepted = yield* listen(yield* network.transport("bob"), "bob")
      yield* network.partition("ann", ["bob", "cid"])
      const abandoned = yield* fork(ann.dial({ host: "bob", port: 3888 }))
      const patient = yield* fork(ann.dial({ host: "bob", port: 3888 }))
      assert.deepStrictEqual((yield* network.connections).map((one) => one.state), ["Dialing", "Dialing"])
      yield* Fiber.interrupt(abandoned)
      assert.strictEqual((yield* network.connections).length, 1)
      yield* network.heal
      yield* Fiber.join(patient)
      yield* Queue.take(accepted)
      assert.deepStrictEqual((yield* network.connections).map((one) => one.state), ["Open"])
    })
  ))

  it.effect.each([["ann", "bob"], ["bob", "ann"]] as const)("a cut from %s to %s hangs ann's dial", ([from, to]) =>
    networked(Effect.fnUntraced(function*(network) {
      const ann = yield* network.transport("ann")
      yield* network.transport("bob")
      yield* network.partitionOneWay(from, to)
      const attempt = yield* fork(Effect.flip(ann.dial({ host: "bob", port: 3888 })))
      assert.isTrue(isWaiting(attempt))
      yield* network.release(from, to)
      assert.strictEqual((yield* Fiber.join(attempt)).reason, "Refused")
    }))())

  it.effect("a cut keeps bytes and the close until heal, in order", networked(
    Effect.fnUntraced(function*() {
      const { far, hangUp, near, network } = yield* annAndBob
      yield* network.partitionOneWay("ann", "bob")
      yield* near.write(utf8("one"))
      yield* near.write(utf8("two"))
      yield* hangUp
      const pulled = yield* fork(pullText(far))
      assert.isTrue(isWaiting(pulled))
      // Bob cannot know yet that nobody will read this, however much it is.
      for (let n = 0; n < 3; n++) yield* far.write(new Uint8Array(65536))
      yield* network.heal
      assert.strictEqual(yield* Fiber.join(pulled), "one two")
      assert.strictEqual(endOf(yield* Effect.flip(far.pull)), "SocketCloseError")
    })
  ))

  it.effect("a partition cuts both ways", networked(
    Effect.fnUntraced(function*() {
      const { far, near, network } = yield* annAndBob
      yield* network.partition("ann", "bob")
      yield* near.write(utf8("there"))
      yield* far.write(utf8("back"))
      const pulls = [yield* fork(pullText(far)), yield* fork(pullText(near))]
      assert.deepStrictEqual(pulls.map(isWaiting), [true, true])
      yield* network.heal
      assert.deepStrictEqual(yield* Effect.forEach(pulls, Fiber.join), ["there", "back"])
    })
  ))

  it.effect("a cut is one way when asked", networked(
    Effect.fnUntraced(function*() {
      const { far, near, network } = yield* annAndBob
      yield* network.partitionOneWay("ann", "bob")
      yield* near.write(utf8("held"))
      const pulled = yield* fork(far.pull)
      yield* far.write(utf8("passes"))
      assert.strictEqual(yield* pullText(near), "passes")
      assert.isTrue(isWaiting(pulled))
    })
  ))

  it.effect("drop loses what is written, and nothing else", networked(
    Effect.fnUntraced(function*() {
      const { accepted, ann, far, hangUp, near, network } = yield* annAndBob
      yield* network.drop("ann", "bob")
      yield* near.write(utf8("lost"))
      yield* far.write(utf8("passes"))
      assert.strictEqual(yield* pullText(near), "passes")
      yield* ann.dial({ host: "bob", port: 3888 })
      yield* Queue.take(accepted)
      yield* network.release("ann", "bob")
      yield* near.write(utf8("after"))
      assert.strictEqual(yield* pullText(far), "after")
      yield* network.drop("ann", "bob")
      yield* hangUp
      yield* Effect.flip(far.pull)
    })
  ))

  it.effect("hold keeps bytes in order until release, and lets dials pass", networked(
    Effect.fnUntraced(function*() {
      const { accepted, ann, far, near, network } = yield* annAndBob
      yield* network.hold("ann", "bob")
      yield* near.write(utf8("one"))
      yield* near.write(utf8("two"))
      const pulled = yield* fork(pullText(far))
      yield* ann.dial({ host: "bob", port: 3888 })
      yield* Queue.take(accepted)
      assert.isTrue(isWaiting(pulled))
      yield* network.release("ann", "bob")
      assert.strictEqual(yield* Fiber.join(pulled), "one two")
    })
  ))

  it.effect("a full pipe makes the writer wait, held or unread", networked(
    Effect.fnUntraced(function*() {
      const { far, near, network } = yield* annAndBob
      yield* near.write(new Uint8Array(65535))
      yield* near.write(new Uint8Array(1))
      const unread = yield* fork(near.write(utf8("!")))
      assert.isTrue(isWaiting(unread))
      assert.strictEqual((yield* far.pull).length, 2)
      yield* Fiber.join(unread)
      yield* network.hold("ann", "bob")
      yield* near.write(new Uint8Array(65536))
      const held = yield* fork(near.write(utf8("!")))
      assert.isTrue(isWaiting(held))
      yield* network.heal
      yield* far.pull
      yield* Fiber.join(held)
    })
  ))

  it.effect("reset fails both ends at once, whoever dialled, and loses what was on the way", networked(
    Effect.fnUntraced(function*() {
      const { far, hangUp, near, network } = yield* annAndBob
      yield* network.hold("ann", "bob")
      yield* near.write(utf8("lost"))
      const pulled = yield* fork(Effect.flip(near.pull))
      yield* network.reset("bob", "ann")
      assert.strictEqual(endOf(yield* Fiber.join(pulled)), "SocketReadError")
      assert.strictEqual(endOf(yield* Effect.flip(far.pull)), "SocketReadError")
      assert.strictEqual(endOf(yield* Effect.flip(near.write(utf8("!")))), "SocketWriteError")
      assert.strictEqual(endOf(yield* Effect.flip(far.write(utf8("!")))), "SocketWriteError")
      yield* hangUp
    })
  ))

  it.effect("reset and partition touch only the hosts named", networked(
    Effect.fnUntraced(function*() {
      const { far, near, network } = yield* annAndBob
      yield* network.partition(["ann", "cid"], ["dan"])
      yield* network.reset("ann", "dan")
      yield* near.write(utf8("passes"))
      assert.strictEqual(yield* pullText(far), "passes")
    })
  ))

  it.effect("shows connections until both ends have let go, and wakes who waits for that", networked(
    Effect.fnUntraced(function*(network) {
      const bob = yield* Scope.make()
      const { hangUp } = yield* Scope.provide(annAndBob, bob)
      assert.deepStrictEqual(yield* network.connections, [{ from: "ann:49152", to: "bob:3888", state: "Open" }])
      const closing = yield* fork(network.until(([one]) => one?.state === "Closing"))
      const none = yield* fork(network.until((all) => all.length === 0))
      assert.isTrue(isWaiting(closing))
      yield* hangUp
      yield* Fiber.join(closing)
      assert.isTrue(isWaiting(none))
      yield* Scope.close(bob, Exit.void)
      assert.deepStrictEqual(yield* Fiber.join(none), [])
    })
  ))

  it.effect("the ends share no memory", networked(
    Effect.fnUntraced(function*() {
      const { far, near } = yield* annAndBob
      const buffer = utf8("before")
      yield* near.write(buffer)
      buffer.set(utf8("after!"))
      assert.strictEqual(yield* pullText(far), "before")
    })
  ))

  it.effect("its layers share the network they are built on", () =>
    Effect.gen(function*() {
      const network = yield* MemoryNetwork.MemoryNetwork
      const context = yield* Layer.build(MemoryNetwork.layerTransport("ann"))
      const bob = yield* network.transport("bob")
      yield* listen(bob, "bob")
      yield* Context.get(context, Transport).dial({ host: "bob", port: 3888 })
      assert.strictEqual((yield* network.connections).length, 1)
    }).pipe(Effect.provide(MemoryNetwork.layer)))

  it.effect("breaks what a killed process had, refuses for it, and lets another start there", networked(
    Effect.fnUntraced(function*(network) {
      const { accepted, ann, bob, far, near } = yield* annAndBob
      yield* network.crash("bob")
      assert.strictEqual(endOf(yield* Effect.flip(near.pull)), "SocketReadError")
      assert.strictEqual(endOf(yield* Effect.flip(far.write(utf8("out")))), "SocketWriteError")
      assert.strictEqual((yield* Effect.flip(ann.dial({ host: "bob", port: 3888 }))).reason, "Refused")
      assert.isTrue(isWaiting(yield* fork(bob.dial({ host: "ann", port: 3888 }))), "nothing gets out any more")
      yield* Effect.flip(Effect.scoped(bob.listen({ host: "bob", port: 3888 })))
      const again = yield* listen(yield* network.transport("bob"), "bob")
      yield* ann.dial({ host: "bob", port: 3888 })
      yield* Queue.take(again)
      assert.strictEqual(yield* Queue.size(accepted), 0)
    })
  ))

  it.effect("tells nobody that a machine has gone, until it heals", networked(Effect.fnUntraced(function*(network) {
    const { ann, near } = yield* annAndBob
    yield* network.vanish("bob")
    const pull = yield* fork(near.pull)
    const dial = yield* fork(Effect.flip(ann.dial({ host: "bob", port: 3888 })))
    yield* near.write(utf8("are you there?"))
    yield* Effect.yieldNow
    assert.isTrue(isWaiting(pull) && isWaiting(dial))
    yield* network.heal
    assert.strictEqual((yield* Fiber.join(dial)).reason, "Refused")
  })))
})

describe("MemoryNetwork, where bytes travel", () => {
  /** A network in which whatever is under way arrives when the test says so, in the order of departure. */
  const travelling = <E>(
    test: (arrivals: Array<{ readonly way: string; readonly arrive: () => void }>) => Effect.Effect<
      void,
      E,
      Scope.Scope | MemoryNetwork.MemoryNetwork
    >
  ) =>
  () =>
    Effect.suspend(() => {
      const arrivals: Array<{ readonly way: string; readonly arrive: () => void }> = []
      const travel: MemoryNetwork.Travel = (from, to, arrive) => arrivals.push({ way: `${from}>${to}`, arrive })
      return Effect.provide(test(arrivals), MemoryNetwork.layerTravel(travel))
    })

  const connected = Effect.fnUntraced(function*(arrivals: Array<{ readonly arrive: () => void }>) {
    const joining = yield* fork(annAndBob)
    for (let way = 0; way < 2; way++) {
      assert.isTrue(isWaiting(joining))
      while (arrivals.length === 0) yield* Effect.yieldNow
      arrivals.shift()!.arrive()
    }
    return yield* Fiber.join(joining)
  })

  it.effect("a dial takes the way there and back", travelling(Effect.fnUntraced(function*(arrivals) {
    yield* connected(arrivals)
    assert.lengthOf(arrivals, 0)
  })))

  it.effect("bytes and the end after them arrive in order, even if they could overtake", travelling(
    Effect.fnUntraced(function*(arrivals) {
      const { far, hangUp, near } = yield* connected(arrivals)
      yield* near.write(utf8("one"))
      yield* near.write(utf8("two"))
      yield* hangUp
      const reading = yield* fork(pullText(far))
      const [one, two, end] = arrivals.splice(0)
      assert.deepStrictEqual([one?.way, two?.way, end?.way], Array(3).fill("ann>bob"))
      end!.arrive()
      two!.arrive()
      assert.isTrue(isWaiting(reading))
      one!.arrive()
      assert.strictEqual(yield* Fiber.join(reading), "one two")
      assert.strictEqual(endOf(yield* Effect.flip(far.pull)), "SocketCloseError")
    })
  ))

  it.effect("what is under way when a connection breaks never arrives", travelling(
    Effect.fnUntraced(function*(arrivals) {
      const { far, near, network } = yield* connected(arrivals)
      yield* near.write(utf8("lost"))
      yield* network.reset("ann", "bob")
      for (const { arrive } of arrivals.splice(0)) arrive()
      assert.strictEqual(endOf(yield* Effect.flip(far.pull)), "SocketReadError")
    })
  ))

  it.effect("who arrives behind a partition waits for its end", travelling(Effect.fnUntraced(function*(arrivals) {
    const { far, near, network } = yield* connected(arrivals)
    yield* near.write(utf8("late"))
    yield* network.partition("ann", "bob")
    const reading = yield* fork(pullText(far))
    arrivals.shift()!.arrive()
    assert.isTrue(isWaiting(reading))
    yield* network.heal
    assert.strictEqual(yield* Fiber.join(reading), "late")
  })))
})
