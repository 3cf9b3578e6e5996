/**
 * Makes one write of what a client writes while a socket is corked: the head of a request and its body. Node would hand the two to
 * the system as a vector, which costs more than twice as much as a single buffer; the bytes on the wire are the same. Only for
 * the sockets of kt's own HTTP/1.1 connections, whose writer (undici) corks, writes a head and a body, and uncorks.
 */
import type { Socket } from 'node:net'

export function joinWrites(socket: Socket): void {
  const write = socket.write.bind(socket) as (chunk: Buffer | string, encoding?: BufferEncoding) => boolean
  const rest = socket.write.bind(socket) as (...args: unknown[]) => boolean
  let corked = false
  let head = ''
  socket.cork = () => {
    corked = true
  }
  socket.uncork = () => {
    corked = false
    if (head !== '') {
      write(head, 'latin1')
      head = ''
    }
  }
  socket.write = ((chunk: Buffer | string, ...more: unknown[]) => {
    if (!corked) return rest(chunk, ...more)
    if (typeof chunk === 'string') {
      head += more[0] === 'latin1' ? chunk : Buffer.from(chunk).toString('latin1')
      return true
    }
    const whole = Buffer.allocUnsafe(head.length + chunk.length)
    whole.write(head, 0, 'latin1')
    chunk.copy(whole, head.length)
    head = ''
    return write(whole)
  }) as Socket['write']
}
