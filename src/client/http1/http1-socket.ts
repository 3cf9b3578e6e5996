/**
 * One socket to the target, in the clear or over TLS: what it reads gets its time as soon as it has arrived, before
 * anything parses it, and is handed over a moment later (inbox.ts). Reads go past the stream, into one buffer of the
 * thread.
 */
import type { OnReadOpts, Socket } from 'node:net'
import { type AnswerEvents, AnswerParser } from '../../http1/answer-parser.ts'
import { ClosedByPeer } from '../../http1/faults.ts'
import { openSocket, type SocketTarget } from '../../http1/open-socket.ts'
import { openTunnel, type ProxyAddress } from '../../http1/tunnel.ts'
import type { Clock } from '../../system/clock.ts'
import { asProxyFault } from '../failure.ts'
import type { Inbox, Reader } from '../inbox.ts'
import { giveBack, isLent, keep, landing } from './read-buffer.ts'

/** Hears what becomes of a socket, and the answers that come on it. Nothing after closed(). */
export interface SocketOwner extends AnswerEvents {
  /** While bytes are being handed over: when they arrived. NaN at any other time. */
  arrivedUs: number
  /** Any byte has come since the latest request was written. */
  answerBegun: boolean
  /** It is open, and may be written to. */
  ready(): void
  /** It is of no more use. */
  closed(error: Error): void
  /** A later connection may be opened with it. */
  session(session: Buffer): void
}

/** Where to, and through which proxy. */
export interface HttpTarget extends SocketTarget {
  proxy?: ProxyAddress | undefined
}

/** Buffers lent for one answer; the rest of a longer answer is left to the collector. */
const MOST_LENT = 2
const TCP_KEEP_ALIVE_MS = 60_000

export class Http1Socket implements Reader {
  readonly #clock: Clock
  readonly #inbox: Inbox
  readonly #owner: SocketOwner
  readonly #parser: AnswerParser
  /** In the clear: whom the connection is opened to. */
  readonly #proxy: ProxyAddress | undefined
  /** To the proxy, until the tunnel through it stands. */
  #socket: Socket
  /** Pieces that have arrived and are not read. */
  #unread = 0
  /** Its owner hears nothing more of it. */
  #over = false
  #isOpen = false
  /** Buffers of the present answer that have been read: its owner may hold parts of them until the next request. */
  readonly #lent: Buffer[] = []

  constructor(target: HttpTarget, clock: Clock, inbox: Inbox, owner: SocketOwner) {
    this.#clock = clock
    this.#inbox = inbox
    this.#owner = owner
    this.#parser = new AnswerParser(owner)
    const { proxy, tls } = target
    this.#proxy = tls ? undefined : proxy
    if (!proxy) this.#socket = this.#open(target)
    else if (!tls) this.#socket = this.#open({ ...target, host: proxy.host, port: proxy.port })
    else {
      const tunnel = openTunnel(proxy, target, (error) => {
        if (this.#over) return
        if (error) this.#close(asProxyFault(proxy, error))
        else {
          this.#socket = this.#open({ ...target, tunnel })
          this.#socket.on('data', (bytes: Buffer) => this.#landAll(bytes))
        }
      })
      this.#socket = tunnel
    }
  }

  #open(target: SocketTarget): Socket {
    const owner = this.#owner
    const onread: OnReadOpts = { buffer: landing, callback: (bytes) => this.#land(bytes) }
    const socket = openSocket(target, onread)
    socket.setNoDelay(true).setKeepAlive(true, TCP_KEEP_ALIVE_MS)
    socket.once(target.tls ? 'secureConnect' : 'connect', () => {
      this.#isOpen = true
      // Before it is open, an end is an error too, which says more.
      socket.on('end', () => this.#end())
      if (!this.#over) owner.ready()
    })
    if (target.tls) socket.on('session', (session: Buffer) => owner.session(session))
    socket.on('error', (error) => this.#break(error))
    // Without an end and without an error before it.
    socket.on('close', () => this.#end())
    return socket
  }

  /** Everything that was written has been taken by the system. */
  get drained(): boolean {
    return this.#socket.writableLength === 0
  }

  /** Another request is about to be written: nobody holds parts of the answer before it. */
  expectAnswer(): void {
    giveBack(this.#lent)
    this.#parser.expect()
  }

  /** A text has no character above a byte. */
  write(bytes: string | Buffer): void {
    if (typeof bytes === 'string') this.#socket.write(bytes, 'latin1')
    else this.#socket.write(bytes)
  }

  /** Reads what has arrived and waits. */
  readWaiting(): void {
    if (this.#unread > 0) this.#inbox.readAll(this)
  }

  read(bytes: Buffer, atUs: number): void {
    this.#unread--
    if (this.#over) return
    const owner = this.#owner
    owner.answerBegun = true
    owner.arrivedUs = atUs
    const fault = this.#parser.push(bytes)
    owner.arrivedUs = Number.NaN
    if (fault) this.#close(fault)
    else if (isLent(bytes) && this.#lent.length < MOST_LENT) this.#lent.push(bytes)
  }

  /** Ends the socket at once. Its owner hears nothing more of it. */
  discard(): void {
    this.#over = true
    this.#parser.stop()
    this.#socket.destroy()
  }

  #land(bytes: number): boolean {
    if (this.#over) return false
    this.#unread++
    this.#inbox.add(this, keep(bytes))
    return true
  }

  /** What came through the stream goes the way of what comes past it. */
  #landAll(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += landing.length) this.#land(bytes.copy(landing, 0, at))
  }

  /** The other side sends nothing more: everything that it has sent is read before that is seen. */
  #end(): void {
    const atUs = this.#clock()
    this.readWaiting()
    if (this.#over) return
    this.#owner.arrivedUs = atUs
    const fault = this.#parser.finish()
    this.#owner.arrivedUs = Number.NaN
    if (!this.#over) this.#close(fault ?? new ClosedByPeer())
  }

  #break(error: Error): void {
    this.readWaiting()
    if (this.#over) return
    // A body that lasts until the close is as whole as its own end says, however the connection was closed.
    if ('code' in error && error.code === 'ECONNRESET' && this.#parser.readsUntilClose) this.#parser.finish()
    if (this.#over) return
    this.#close(this.#proxy && !this.#isOpen ? asProxyFault(this.#proxy, error) : error)
  }

  #close(error: Error): void {
    this.discard()
    this.#owner.closed(error)
  }
}
