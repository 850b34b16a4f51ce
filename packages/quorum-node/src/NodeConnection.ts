/**
 * A Node socket as a `Connection`: the one place where stream events become
 * effects. A `tls.TLSSocket` is a `net.Socket`, so it serves both.
 */
import type * as Transport from "@conclave/quorum/Transport"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import type * as Net from "node:net"

/**
 * How long a closing connection may take to hand its last bytes to the kernel.
 * Java leaves that to the kernel altogether. Two seconds outlast one lost segment
 * (a first retransmission comes after 1 s, RFC 6298), and a far end that does not
 * read at all cannot hold us longer.
 */
export const FLUSH_TIMEOUT = "2 seconds"

/**
 * Adopts an open socket until the scope closes. Then a waiting `pull` fails, bytes
 * already written are flushed for at most `FLUSH_TIMEOUT`, and the socket is
 * destroyed. The caller must not touch the socket afterwards, nor the
 * bytes once they are handed to `write`.
 */
export const make = (socket: Net.Socket): Effect.Effect<Transport.Connection, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(Effect.sync(() => makeReader(socket)), (reader) => {
      reader.close()
      return flush(socket)
    }),
    (reader) => ({
      pull: reader.pull,
      write: (bytes: Uint8Array) => write(socket, bytes),
      identify: () => Effect.void,
      remote: format(socket.remoteAddress ?? "?", socket.remotePort ?? 0)
    })
  )

/** `host:port`, with brackets around an IPv6 literal. */
export const format = (host: string, port: number): string => `${host.includes(":") ? `[${host}]` : host}:${port}`

// The socket stays paused, so what nobody pulls stays in its buffer (64 KiB) and
// then in the kernel, until the far end's `write` waits.
const makeReader = (socket: Net.Socket) => {
  type Resume = (result: Effect.Effect<ReadonlyArray<Uint8Array>, Socket.SocketError>) => void
  let waiter: Resume | undefined
  let failure: Socket.SocketError | undefined
  let closed = false

  const settle = () => {
    const resume = waiter
    if (resume === undefined) return
    // Everything buffered comes as one chunk; bytes before the end come before the failure.
    const chunk: Uint8Array | null = closed ? null : socket.read()
    if (chunk === null && failure === undefined) return
    waiter = undefined
    resume(chunk !== null ? Effect.succeed([chunk]) : Effect.fail(failure!))
  }
  const end = (error: Socket.SocketError) => {
    failure ??= error
    settle()
  }
  socket.pause()
  socket.on("readable", settle)
  socket.on("end", () => end(closeError(1000)))
  socket.on("error", (cause) => end(new Socket.SocketError({ reason: new Socket.SocketReadError({ cause }) })))
  socket.on("close", () => end(closeError(1006)))
  // What happened before the listeners were there is not told again.
  if (socket.destroyed || socket.readableEnded) failure = closeError(socket.destroyed ? 1006 : 1000)

  return {
    pull: Effect.callback<ReadonlyArray<Uint8Array>, Socket.SocketError>((resume) => {
      waiter = resume
      settle()
      return Effect.sync(() => {
        if (waiter === resume) waiter = undefined
      })
    }),
    close: () => {
      closed = true
      end(closeError(1006))
      // A listener for "readable" would keep the socket from flowing.
      socket.off("readable", settle)
    }
  }
}

const write = (socket: Net.Socket, bytes: Uint8Array): Effect.Effect<void, Socket.SocketError> =>
  Effect.suspend(() => {
    // A far end that closed is gone: nobody here closes only one direction.
    if (!socket.writable || socket.readableEnded) return Effect.fail(writeError("the connection is closed"))
    return socket.write(bytes) ? Effect.void : drained(socket)
  })

// Looks before it listens: an event that has passed does not come again.
const drained = (socket: Net.Socket) =>
  Effect.callback<void, Socket.SocketError>((resume) => {
    if (!socket.writable) return resume(Effect.fail(writeError("the connection is closed")))
    if (!socket.writableNeedDrain) return resume(Effect.void)
    const forget = () => {
      socket.off("drain", onDrain)
      socket.off("close", onClose)
    }
    const onDrain = () => {
      forget()
      resume(Effect.void)
    }
    const onClose = () => {
      forget()
      resume(Effect.fail(writeError("the connection closed before all bytes were sent")))
    }
    socket.on("drain", onDrain)
    socket.on("close", onClose)
    return Effect.sync(forget)
  })

// What still comes in is thrown away meanwhile: a far end that waits for us to
// read would otherwise never get to read our last bytes.
const flush = (socket: Net.Socket) =>
  Effect.callback<void>((resume) => {
    if (socket.destroyed || socket.writableFinished) return resume(Effect.void)
    const done = () => resume(Effect.void)
    socket.once("finish", done)
    socket.once("close", done)
    socket.end()
    socket.resume()
  }).pipe(
    Effect.timeoutOption(FLUSH_TIMEOUT),
    Effect.ensuring(Effect.sync(() => socket.destroy()))
  )

const closeError = (code: number) => new Socket.SocketError({ reason: new Socket.SocketCloseError({ code }) })

const writeError = (problem: string) =>
  new Socket.SocketError({ reason: new Socket.SocketWriteError({ cause: new Error(problem) }) })
