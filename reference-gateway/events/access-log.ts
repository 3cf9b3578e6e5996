/**
 * A line for each request that comes in, also for those that are refused before they are read: who asked for what, and
 * how it ended. It holds no query, no header and nothing of a body. The lines are written where the admin port is, for
 * all processes together.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { printable, printableJson } from '../../src/system/printable.ts'
import type { AccessLogConfig } from '../config/config-file.ts'
import { isHttp2 } from '../http/http2-request.ts'
import { RequestContext } from '../http/request-context.ts'
import type { Publisher, WorkerGroup } from '../workers/worker-group.ts'
import { LogFile } from './log-file.ts'

const ACCESS_CHANNEL = 'access'
const WAIT_MS = 50
/** Lines that wait for a file that takes none. */
const MAX_WAITING = 8_192
/** What a request is logged as whose client left before it got a status, as nginx does. */
const CLIENT_GONE = 499
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/** In every process that serves. */
export class AccessLog {
  readonly #format: AccessLogConfig['format']
  readonly #publisher: Publisher
  #lines: string[] = []

  constructor({ format }: AccessLogConfig, publisher: Publisher) {
    this.#format = format
    this.#publisher = publisher
  }

  /** `asked` is what the request turned out to be, or only its name where it was refused before that. */
  follow(request: IncomingMessage, response: ServerResponse, asked: { id: string }): void {
    const startMs = performance.now()
    const { socket } = request
    const before = isHttp2(request) ? undefined : socket.bytesWritten
    const client = socket.remoteAddress ?? ''
    response.once('close', () => {
      const bytes = before === undefined ? null : socket.bytesWritten - before
      this.#note({ request, response, asked, client, bytes, ms: performance.now() - startMs })
    })
  }

  #note(entry: Entry): void {
    if (this.#lines.length === 0) this.#publishLater()
    this.#lines.push(this.#format === 'json' ? jsonLine(entry) : commonLine(entry))
  }

  #publishLater(): void {
    setTimeout(() => {
      // At the start a request may be over before anybody reads.
      if (this.#publisher.hasSubscribers(ACCESS_CHANNEL) || this.#lines.length > MAX_WAITING) this.#publish()
      else this.#publishLater()
    }, WAIT_MS).unref()
  }

  #publish(): void {
    this.#publisher.publish(ACCESS_CHANNEL, this.#lines)
    this.#lines = []
  }

  /** Publishes the last lines. */
  close(): void {
    this.#publish()
  }
}

/** Where all lines are written. */
export class AccessLogWriter {
  readonly #file: LogFile
  readonly #report: (problem: string) => void
  readonly #unsubscribe: () => void
  #waiting: string[] = []
  #dropped = 0
  #writing: Promise<void> | undefined

  constructor(config: AccessLogConfig, workers: WorkerGroup, report: (problem: string) => void) {
    this.#file = new LogFile(config, 'access log', report)
    this.#report = report
    this.#unsubscribe = workers.subscribe(ACCESS_CHANNEL, (lines) => this.#take(lines as string[]))
  }

  async close(): Promise<void> {
    this.#unsubscribe()
    await this.#writing
    await this.#file.close()
  }

  #take(lines: readonly string[]): void {
    const room = MAX_WAITING - this.#waiting.length
    this.#waiting.push(...lines.slice(0, room))
    this.#dropped += Math.max(0, lines.length - room)
    this.#writing ??= this.#write()
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting
      this.#waiting = []
      // The file says itself what is wrong with it.
      await this.#file.append(Buffer.from(lines.join(''))).catch(() => {})
    }
    if (this.#dropped > 0) this.#report(`access log: ${this.#dropped} lines were dropped, the file takes too long`)
    this.#dropped = 0
    this.#writing = undefined
  }
}

interface Entry {
  request: IncomingMessage
  response: ServerResponse
  asked: { id: string }
  client: string
  /** With head; null where several answers share a connection. */
  bytes: number | null
  ms: number
}

/** A query may hold a key. */
function pathOf({ url = '' }: IncomingMessage): string {
  return url.replace(/[?#].*$/s, '')
}

function statusOf({ response }: Entry): number {
  return response.headersSent ? response.statusCode : CLIENT_GONE
}

function jsonLine(entry: Entry): string {
  const { request, asked, client, bytes, ms } = entry
  const context = asked instanceof RequestContext ? asked : undefined
  const line = {
    ts: new Date().toISOString(),
    request_id: asked.id,
    client,
    tenant: context?.tenant ?? null,
    method: request.method ?? '',
    path: pathOf(request),
    protocol: `HTTP/${request.httpVersion}`,
    status: statusOf(entry),
    bytes,
    ms: Math.round(ms * 1_000) / 1_000,
    model: context?.model ?? null,
    provider: context?.provider ?? null,
    ...(context?.error !== undefined && { error: context.error }),
  }
  return `${printableJson(line)}\n`
}

/** The Common Log Format; the user is the tenant. */
function commonLine(entry: Entry): string {
  const { request, asked, client, bytes } = entry
  const tenant = asked instanceof RequestContext ? asked.tenant : '-'
  const what = `${request.method} ${pathOf(request)} HTTP/${request.httpVersion}`.replaceAll('"', '%22')
  const line = `${client} - ${tenant} [${commonDate(new Date())}] "${what}" ${statusOf(entry)} ${bytes ?? '-'}`
  return `${printable(line)}\n`
}

function commonDate(at: Date): string {
  const [date = '', time = ''] = at.toISOString().split('T')
  const [year, , day] = date.split('-')
  return `${day}/${MONTHS[at.getUTCMonth()]}/${year}:${time.slice(0, 8)} +0000`
}
