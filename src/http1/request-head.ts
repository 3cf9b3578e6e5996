/** The head of a request: everything but the length of its body, which comes last, and the empty line. */
import { isHeaderName, isText } from './fields.ts'

export interface PreparedHead {
  /** Whole lines. */
  text: string
  /** Whether the connection is for further requests too. */
  keepAlive: boolean
  /** As it is named to the target. */
  host: string
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
export function buildHead(
  method: string,
  host: string,
  path: string,
  headers: readonly string[],
  keepAlive: boolean,
): PreparedHead {
  if (!isHeaderName(method)) throw new Error(`a method that cannot be sent: ${method}`)
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
    text: `${method} ${path} HTTP/1.1\r\nhost: ${head.host}\r\nconnection: ${connection}\r\n${head.lines}`,
    keepAlive: head.keepAlive,
    host: head.host,
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
