/**
 * The classes of how a request ended. Each request has exactly one, so `sent = sum of classes`. The sentences say what
 * the class means and what to do; a user sees them when requests fail.
 */

export const OUTCOMES = {
  OK: { means: 'answered in full', next: '' },
  KT_DNS: { means: 'the host name could not be resolved', next: 'Check the host in --url.' },
  KT_CONNECT: {
    means: 'the connection was refused or unreachable',
    next: 'Check that the target runs and listens where --url points.',
  },
  KT_TLS: { means: 'the TLS handshake failed', next: 'Check the scheme in --url and the certificate of the target.' },
  KT_RESOURCES: {
    means: 'this machine ran out of file descriptors or ports',
    next:
      'Raise `ulimit -n`, lower --concurrency or --max-in-flight, and keep connections alive: ' +
      'the target is not at fault.',
  },
  KT_TIMEOUT_CONNECT: {
    means: 'no connection before the timeout',
    next: 'Check the network path, or raise --connect-timeout and --timeout.',
  },
  KT_TIMEOUT_FIRST_TOKEN: {
    means: 'no first token before --ttft-timeout',
    next: 'Raise --ttft-timeout, or find out why the target is slow to begin.',
  },
  KT_TIMEOUT_IDLE: {
    means: 'the stream fell silent for longer than --idle-timeout',
    next: 'Raise --idle-timeout, or look for a buffer or a stall between kt and the provider.',
  },
  KT_TIMEOUT_TOTAL: {
    means: 'no complete answer before the timeout',
    next: 'Raise --timeout, or find out why the target is slow.',
  },
  KT_RESET: {
    means: 'the connection was closed before an answer',
    next: 'Look at the log of the target; lower --concurrency to see whether load causes it.',
  },
  KT_PROTOCOL: {
    means: 'the answer is not in the HTTP version that was spoken',
    next: 'Check the scheme and the port in --url; --http2 needs a target that speaks it.',
  },
  KT_HTTP_3XX: { means: 'the target redirected', next: 'Give the final address to --url: kt follows no redirects.' },
  KT_HTTP_401: { means: 'the key was refused (401/403)', next: 'Set KT_API_KEY or pass --api-key.' },
  KT_HTTP_404: { means: 'unknown path or model (404)', next: 'Check the path in --url and the name given to --model.' },
  KT_HTTP_429: {
    means: 'rate limited (429)',
    next: 'Lower --rps or --concurrency, or raise the limit at the provider.',
  },
  KT_HTTP_4XX: {
    means: 'the request was refused (4xx)',
    next: 'Read the answer shown above; check --endpoint and --model.',
  },
  KT_HTTP_5XX: { means: 'the target failed (5xx)', next: 'Look at the log of the target.' },
  KT_BAD_BODY: {
    means: 'a 200 whose body is an error, or not the JSON of this endpoint',
    next: 'Read the answer shown above; check the path in --url: a web page or a proxy may be answering.',
  },
  KT_BAD_STREAM: {
    means: 'a 200 that is not a stream of events of this endpoint',
    next: 'Check that the target streams, or run without --stream.',
  },
  KT_STREAM_ERROR: { means: 'an error event inside a 200 stream', next: 'Look at the log of the target.' },
  KT_TRUNCATED: {
    means: 'the answer broke off before its end',
    next: 'Look for a timeout or a crash between kt and the provider.',
  },
  KT_ABORTED_AT_DEADLINE: {
    means: 'still in flight when the run ended',
    next: 'Nothing, after Ctrl-C; else raise --duration or --drain, or lower the load.',
  },
} as const satisfies Record<string, { means: string; next: string }>

export type Outcome = keyof typeof OUTCOMES

export const OUTCOME_CODES = Object.keys(OUTCOMES) as [Outcome, ...Outcome[]]

/** The class of a final HTTP status other than 2xx. */
export function classifyStatus(status: number): Outcome {
  if (status >= 500) return 'KT_HTTP_5XX'
  if (status === 401 || status === 403) return 'KT_HTTP_401'
  if (status === 404) return 'KT_HTTP_404'
  if (status === 429) return 'KT_HTTP_429'
  return status >= 400 ? 'KT_HTTP_4XX' : 'KT_HTTP_3XX'
}

/** Good answers, and failures that lasted until a deadline: without these the latency tail would look too good. */
export function isInLatencyTail(outcome: Outcome): boolean {
  return (
    outcome === 'OK' ||
    outcome === 'KT_TIMEOUT_TOTAL' ||
    outcome === 'KT_TIMEOUT_CONNECT' ||
    outcome === 'KT_TIMEOUT_FIRST_TOKEN' ||
    outcome === 'KT_TIMEOUT_IDLE' ||
    outcome === 'KT_ABORTED_AT_DEADLINE'
  )
}
