/** The head of the requests to a target: everything but the length of their body, which comes last. */
import { isIP } from 'node:net'
import { isHeaderName, isText } from './fields.ts'

export interface PreparedHead {
  /** Up to the value of `content-length`. */
  text: string
  /** Whether the connection is for further requests too. */
  keepAlive: boolean
  /** Whom the certificate of the target must name; '' where it has no name but an address. */
  serverName: string
}

/** What kt decides itself, by how it sends. */
const OWN = new Set(['transfer-encoding', 'keep-alive', 'upgrade'])
/** No space, no control character, nothing beyond a byte. */
const PATH = /^[!-\u00ff]+$/

/** Why a header cannot be sent; undefined where it can. */
export function whyUnsendable(name: string, value: string): string | undefined {
  const known = name.toLowerCase()
  if (!isHeaderName(name)) return 'invalid header key'
  if (known === 'content-length') return 'the lengths of its bodies differ, and it counts them itself'
  if (known === 'expect') return 'expect header not supported'
  if (OWN.has(known)) return `invalid ${name} header`
  const isRight = known === 'connection' ? wordsOf(value).every(isHeaderName) : isLatin1(value) && isText(value)
  return isRight ? undefined : `invalid ${name} header`
}

/** `headers` are name, value, name, value. */
export function buildHead(host: string, path: string, headers: readonly string[], keepAlive: boolean): PreparedHead {
  if (!PATH.test(path)) throw new Error(`a path that cannot be sent: ${path}`)
  const head = { host, keepAlive, lines: '' }
  for (let i = 0; i < headers.length; i += 2) {
    const [name = '', value = ''] = [headers[i], headers[i + 1]]
    const why = whyUnsendable(name, value)
    if (why !== undefined) throw new Error(`the header '${name}' cannot be sent: ${why}`)
    const known = name.toLowerCase()
    if (known === 'host') head.host = value
    else if (known === 'connection') head.keepAlive &&= !wordsOf(value).includes('close')
    else head.lines += `${name}: ${value}\r\n`
  }
  const connection = head.keepAlive ? 'keep-alive' : 'close'
  return {
    text:
      `POST ${path} HTTP/1.1\r\nhost: ${head.host}\r\nconnection: ${connection}\r\n` + `${head.lines}content-length: `,
    keepAlive: head.keepAlive,
    serverName: serverNameOf(head.host),
  }
}

function wordsOf(value: string): string[] {
  return value
    .toLowerCase()
    .split(',')
    .map((word) => word.trim())
}

function isLatin1(value: string): boolean {
  for (let i = 0; i < value.length; i++) if (value.charCodeAt(i) > 0xff) return false
  return true
}

/** The host without its port. */
function serverNameOf(host: string): string {
  const name = host.startsWith('[') ? host.slice(1, host.indexOf(']')) : (host.split(':')[0] ?? '')
  return isIP(name) === 0 ? name : ''
}
