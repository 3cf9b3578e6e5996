/** `kt bench --show-request`: one request of the run and its answer, over the connection that a run would use. */
import type { AnswerHandler, RequestControl } from '../client/answer-handler.ts'
import { ONE_AT_A_TIME } from '../client/connection.ts'
import { Http1Connection } from '../client/http1/http1-connection.ts'
import { Http2Connection, loadHttp2 } from '../client/http2-connection.ts'
import { Inbox } from '../client/inbox.ts'
import { Peer } from '../client/peer.ts'
import { routeTo } from '../client/route.ts'
import type { ResponseHeaders } from '../http1/fields.ts'
import type { RunPlan } from '../load/plan.ts'
import type { Exchange } from '../report/preview.ts'
import { now } from '../system/clock.ts'
import { plainReason } from '../wire/connection-errors.ts'
import { buildPlan } from './build-plan.ts'
import { withoutSecrets } from './config.ts'
import { type FirstRequest, firstRequest, shownRequest } from './first-request.ts'
import { secretsOf } from './options/target.ts'
import type { BenchOptions } from './options.ts'
import { openReplay } from './replay.ts'
import { openTargets } from './targets.ts'

/** Sends the first measured request of the first arm. */
export async function showRequest(
  { target, request: workload, load, trace }: BenchOptions,
  note: (line: string) => void,
): Promise<Exchange> {
  const replay = await openReplay(trace, workload)
  try {
    const open = await openTargets(target, workload, note)
    try {
      return await showFirst(buildPlan(target, workload, load, open.targets), secretsOf(target))
    } finally {
      await open.close()
    }
  } finally {
    await replay?.close()
  }
}

async function showFirst(plan: RunPlan, secrets: readonly string[]): Promise<Exchange> {
  const request = firstRequest(plan)
  const spec = plan.connection ?? ONE_AT_A_TIME
  const seen = await exchange(request, spec, plan.timeoutUs)
  const clean = (text: string): string => withoutSecrets(text, secrets)
  return {
    schema: 'kt.exchange/1',
    url: `${request.origin}${request.path.replace(/\?.*$/s, '?***')}`,
    request: shownRequest(request, spec.keepAlive, secrets),
    answer:
      seen.status === undefined
        ? null
        : { status: seen.status, head: headLines(seen.headers).map(clean), body: clean(seen.body.toString('utf8')) },
    error: seen.error === undefined ? null : clean(plainReason(seen.error)),
    firstByteMs: seen.firstUs === undefined ? null : (seen.firstUs - seen.startUs) / 1_000,
    totalMs: (now() - seen.startUs) / 1_000,
  }
}

class Listener implements AnswerHandler {
  readonly startUs = now()
  status: number | undefined
  headers: ResponseHeaders = {}
  firstUs: number | undefined
  error: Error | undefined
  readonly #chunks: Buffer[] = []
  readonly #done: () => void
  control: RequestControl | undefined

  constructor(done: () => void) {
    this.#done = done
  }

  get body(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  onRequestStart(control: RequestControl): void {
    this.control = control
  }

  onRequestSent(): void {}

  onResponseStart(_control: RequestControl, status: number, headers: ResponseHeaders): void {
    this.status = status
    this.headers = headers
  }

  onResponseData(_control: RequestControl, chunk: Buffer): void {
    this.firstUs ??= now()
    // The connection reads the next bytes into the same place.
    this.#chunks.push(Buffer.from(chunk))
  }

  onResponseEnd(): void {
    this.#done()
  }

  onResponseError(_control: RequestControl | undefined, error: Error): void {
    this.error = error
    this.#done()
  }
}

async function exchange(
  { origin, path, headers, body }: FirstRequest,
  spec: NonNullable<RunPlan['connection']>,
  timeoutUs: number,
): Promise<Listener> {
  const peer = new Peer(origin, routeTo(origin, spec.routes))
  if (spec.http === 'h2') await loadHttp2()
  const connection =
    spec.http === 'h2'
      ? new Http2Connection(origin, now, spec, peer)
      : new Http1Connection(origin, now, new Inbox(now), spec, peer)
  const { promise, resolve } = Promise.withResolvers<void>()
  const listener = new Listener(resolve)
  const late = new Error(`no whole answer within ${timeoutUs / 1e6} s`)
  const timer = setTimeout(() => connection.drop(late), timeoutUs / 1_000)
  connection.dispatch({ method: 'POST', path, headers, body }, listener, Number.NEGATIVE_INFINITY)
  await promise
  clearTimeout(timer)
  await connection.close()
  return listener
}

function headLines(headers: ResponseHeaders): string[] {
  return Object.entries(headers).flatMap(([name, value]) => {
    const values = Array.isArray(value) ? value : [value]
    return values.flatMap((one) => (one === undefined ? [] : [`${name}: ${one}`]))
  })
}
