/** A plain HTTP/2 client (and an HTTP/1.1 one that shows how an answer ended) for tests of the provider. */
import { type ClientHttp2Session, connect, type SecureClientSessionOptions } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { onTestFinished } from 'vitest'

export interface Answer {
  status: number
  headers: Record<string, unknown>
  body: string
  /** 'end', or the reason it broke off. */
  ended: string
}

export async function session2(url: string, options: SecureClientSessionOptions = {}): Promise<ClientHttp2Session> {
  const session = connect(url, options)
  onTestFinished(() => session.destroy())
  await new Promise<void>((resolve, reject) => {
    session.once('remoteSettings', () => resolve())
    session.once('error', reject)
  })
  return session
}

export function post2(
  session: ClientHttp2Session,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return new Promise((resolve) => {
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/json', ...headers })
    const answer: Answer = { status: 0, headers: {}, body: '', ended: 'end' }
    stream.setEncoding('utf8')
    stream.on('response', (received) => {
      answer.headers = received
      answer.status = Number(received[':status'])
    })
    stream.on('data', (text: string) => {
      answer.body += text
    })
    stream.on('error', (error) => {
      answer.ended = error.message
    })
    stream.on('close', () => resolve(answer))
    // A GET has ended with its headers, and takes no further byte, not even none.
    if (body === '') stream.end()
    else stream.end(typeof body === 'string' ? body : JSON.stringify(body))
  })
}

/** What comes back over HTTP/1.1 as raw text, and how the connection ended ('open' when `until` was seen first). */
export function raw1(
  port: number,
  path: string,
  body: unknown,
  until?: string,
): Promise<{ text: string; ended: string }> {
  return new Promise((resolve) => {
    const socket = connectTcp(port, '127.0.0.1')
    const json = JSON.stringify(body)
    let text = ''
    const done = (ended: string): void => {
      resolve({ text, ended })
      socket.destroy()
    }
    socket.on('data', (chunk) => {
      text += chunk.toString()
      if (until !== undefined && text.includes(until)) done('open')
    })
    socket.on('end', () => done('end'))
    socket.on('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message))
    socket.write(
      `POST ${path} HTTP/1.1\r\nhost: x\r\nanthropic-version: 1\r\n` +
        `content-length: ${Buffer.byteLength(json)}\r\n\r\n${json}`,
    )
  })
}
