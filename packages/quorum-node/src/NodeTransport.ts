/**
 * Transports over Node sockets.
 *
 * Dialling and listening end in a `NodeConnection`; which connection lives, and
 * what is said on it, is decided elsewhere.
 */
import * as Transport from "@conclave/quorum/Transport"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Net from "node:net"
import * as NodeConnection from "./NodeConnection.ts"
import * as NodeDialer from "./NodeDialer.ts"
import * as NodeListener from "./NodeListener.ts"
import type { StoreError } from "./StoreError.ts"
import * as TlsAcceptor from "./TlsAcceptor.ts"
import * as TlsDialer from "./TlsDialer.ts"
import * as TlsOptions from "./TlsOptions.ts"
import * as TlsMaterial from "./TlsMaterial.ts"

/** Plain TCP. */
export const layerTcp = (options?: Partial<NodeDialer.TcpOptions>): Layer.Layer<Transport.Transport> =>
  Layer.sync(Transport.Transport, () => makeTcp({ ...NodeDialer.defaults, ...options }))

/**
 * TCP with TLS, as the two switches have it: dials with TLS if `sslQuorum`; accepts TLS
 * alone if `sslQuorum`, and both TLS and plain on one port if `portUnification`.
 * Without either it is `layerTcp`, and no store is opened. So a running ensemble moves to TLS
 * server by server: first `portUnification` everywhere, then `sslQuorum`, then without
 * `portUnification`. Fails if the stores cannot be used.
 *
 * Java: UnifiedServerSocket, QuorumX509Util.
 */
export const layerSecure = (
  options: TlsOptions.Input & Partial<NodeDialer.TcpOptions>
): Layer.Layer<Transport.Transport, StoreError> =>
  Layer.effect(
    Transport.Transport,
    Effect.gen(function*() {
      const tcp = { ...NodeDialer.defaults, ...options }
      const plain = makeTcp(tcp)
      if (!options.sslQuorum && !options.portUnification) return plain
      const tls: TlsOptions.TlsOptions = { ...TlsOptions.defaults, ...options }
      const material = yield* TlsMaterial.keep(tls)
      return Transport.Transport.of({
        dial: options.sslQuorum
          ? (address, onAnswered) => TlsDialer.dial(address, { tcp, tls, material }, onAnswered)
          : plain.dial,
        listen: Effect.fnUntraced(function*(address) {
          const accept = yield* TlsAcceptor.make({ tls, material, lookup: tcp.lookup })
          return yield* NodeListener.make(address, () => createServer(tcp), accept)
        })
      })
    })
  )

const makeTcp = (tcp: NodeDialer.TcpOptions) =>
  Transport.Transport.of({
    dial: (address) => Effect.flatMap(NodeDialer.connect(address, tcp), NodeConnection.make),
    listen: (address) => NodeListener.make(address, () => createServer(tcp), NodeConnection.make)
  })

const createServer = ({ keepAlive, noDelay }: NodeDialer.TcpOptions) =>
  Net.createServer({ noDelay, keepAlive, pauseOnConnect: true })
