/**
 * The classes of how a request ended. Each request has exactly one, so `sent = sum of classes`. The sentences say what
 * the class means and what to do; a user sees them when requests fail. The latency tail holds good answers, and
 * failures that lasted until a deadline: without these it would look too good. A failure that `repeats` has its reason
 * in what is sent or where to: it would meet every request of a run alike.
 */

export const OUTCOMES = {
  OK: { inTail: true, means: 'answered in full', next: '' },
  KT_DNS: {
    inTail: false,
    repeats: true,
    means: 'the host name could not be resolved',
    next: 'Check the host in --url, and that this machine can resolve names.',
  },
  KT_CONNECT: {
    inTail: false,
    repeats: true,
    means: 'the connection was refused or unreachable',
    next: 'Check that the target runs and listens where --url (or --unix-socket, --resolve) points.',
  },
  KT_TLS: {
    inTail: false,
    repeats: true,
    means: 'the TLS handshake failed',
    next: 'Read the reason above. A certificate that is not trusted: pass its authority with --ca, or use --insecure.',
  },
  KT_CLIENT_CERT: {
    inTail: false,
    repeats: true,
    means: 'the target demands a client certificate (mutual TLS)',
    next: 'Show one: --cert client.pem --key client.key.',
  },
  KT_NO_TLS: {
    inTail: false,
    repeats: true,
    means: 'the target does not speak TLS on this port',
    next: 'Begin --url with http:// instead of https://, or give the port that speaks TLS.',
  },
  KT_ONLY_TLS: {
    inTail: false,
    repeats: true,
    means: 'the target speaks TLS on this port',
    next: 'Begin --url with https:// instead of http://.',
  },
  KT_NO_HTTP2: {
    inTail: false,
    repeats: true,
    means: 'the target does not speak HTTP/2',
    next: 'Leave --http2 out.',
  },
  KT_PROXY: {
    inTail: false,
    repeats: true,
    means: 'the proxy lets the connection not through, or cannot be reached',
    next: 'Read the reason above: it names the proxy. --proxy gives another, --proxy none connects directly.',
  },
  KT_RESOURCES: {
    inTail: false,
    means: 'this machine ran out of file descriptors or ports',
    next:
      'Raise `ulimit -n`, lower --concurrency or --max-in-flight, and keep connections alive: ' +
      'the target is not at fault.',
  },
  KT_TIMEOUT_CONNECT: {
    inTail: true,
    repeats: true,
    means: 'no connection before the timeout',
    next: 'Check the network path, or raise --connect-timeout and --timeout.',
  },
  KT_TIMEOUT_FIRST_TOKEN: {
    inTail: true,
    means: 'no first token before --ttft-timeout',
    next: 'Raise --ttft-timeout, or find out why the target is slow to begin.',
  },
  KT_TIMEOUT_IDLE: {
    inTail: true,
    means: 'the stream fell silent for longer than --idle-timeout',
    next: 'Raise --idle-timeout, or look for a buffer or a stall between kt and the provider.',
  },
  KT_TIMEOUT_TOTAL: {
    inTail: true,
    means: 'no complete answer before the timeout',
    next: 'Raise --timeout, or find out why the target is slow.',
  },
  KT_RESET: {
    inTail: false,
    means: 'the connection was closed before an answer',
    next: 'Look at the log of the target; lower --concurrency or --rps to see whether load causes it.',
  },
  KT_IDLE_CLOSE: {
    inTail: false,
    means: 'the target closed an idle connection just when a request was sent on it',
    next: 'Raise the keep-alive timeout of the target above the pauses between requests, or pass --no-keepalive.',
  },
  KT_PROTOCOL: {
    inTail: false,
    repeats: true,
    means: 'the answer is not in the HTTP version that was spoken',
    next: 'Check the port in --url. A target that speaks nothing but HTTP/2 needs --http2.',
  },
  KT_HTTP_3XX: {
    inTail: false,
    repeats: true,
    means: 'the target redirected',
    next: 'Give the address shown above to --url: kt follows no redirects.',
  },
  KT_HTTP_401: {
    inTail: false,
    repeats: true,
    means: 'the key was refused (401/403)',
    next: 'Set KT_API_KEY or pass --api-key with a key that the target takes.',
  },
  KT_HTTP_404: {
    inTail: false,
    repeats: true,
    means: 'unknown path or model (404)',
    next: 'Check the path in --url, the name given to --model, and whether the target speaks what --endpoint names.',
  },
  KT_HTTP_429: {
    inTail: false,
    means: 'rate limited (429)',
    next: 'Lower --rps or --concurrency, or raise the limit at the provider.',
  },
  KT_HTTP_4XX: {
    inTail: false,
    repeats: true,
    means: 'the request was refused (4xx)',
    next: 'Read the answer shown above: it says what the target does not take of --model, --endpoint or --body.',
  },
  KT_HTTP_5XX: { inTail: false, means: 'the target failed (5xx)', next: 'Look at the log of the target.' },
  KT_ENCODING: {
    inTail: false,
    means: 'the content-encoding of the answer cannot be decoded',
    next: "Turn it off at the target, or ask for another: --header 'accept-encoding: gzip'.",
  },
  KT_EMPTY: {
    inTail: false,
    means: 'a complete answer that holds nothing: no text, no tool call, no vector',
    next:
      'Look at what stands between kt and the model: a filter, a cache or a dead backend may answer so. ' +
      'Where such answers are right, --allow-empty counts them as successes.',
  },
  KT_BAD_BODY: {
    inTail: false,
    means: 'a 200 whose body is an error, or not the JSON of this endpoint',
    next: 'Read the answer shown above; check the path in --url: a web page or a proxy may be answering.',
  },
  KT_BAD_STREAM: {
    inTail: false,
    means: 'a 200 that is not a stream of events of this endpoint',
    next: 'Check that the target streams, or run without --stream.',
  },
  KT_STREAM_ERROR: {
    inTail: false,
    means: 'an error event inside a 200 stream',
    next: 'Look at the log of the target.',
  },
  KT_TRUNCATED: {
    inTail: false,
    means: 'the answer broke off before its end',
    next: 'Look for a timeout or a crash between kt and the provider.',
  },
  KT_OTHER: {
    inTail: false,
    means: 'a failure of none of the other classes',
    next: 'Read the reason above, and report it as a fault of kt: it should have a class.',
  },
  KT_ABORTED_AT_DEADLINE: {
    inTail: true,
    means: 'still in flight when the run ended',
    next: 'Nothing, after Ctrl-C; else raise --duration or --drain, or lower the load.',
  },
} as const satisfies Record<string, { inTail: boolean; repeats?: true; means: string; next: string }>

export type Outcome = keyof typeof OUTCOMES

export const OUTCOME_CODES = Object.keys(OUTCOMES) as [Outcome, ...Outcome[]]

/** The class of a final HTTP status other than 2xx. */
export function classifyStatus(status: number): Outcome {
  if (status >= 500) return 'KT_HTTP_5XX'
  if (status === 401 || status === 403) return 'KT_HTTP_401'
  if (status === 404) return 'KT_HTTP_404'
  // Proxy Authentication Required: no target says so.
  if (status === 407) return 'KT_PROXY'
  if (status === 429) return 'KT_HTTP_429'
  return status >= 400 ? 'KT_HTTP_4XX' : 'KT_HTTP_3XX'
}

export function isInLatencyTail(outcome: Outcome): boolean {
  return OUTCOMES[outcome].inTail
}

/** Refusals that a later request may not meet: timeout, conflict, locked, too early. */
const PASSING: ReadonlySet<number> = new Set([408, 409, 423, 425])

/** Whether a request that ended so, with this HTTP status, would end so again. */
export function wouldRepeat(outcome: Outcome, status: number): boolean {
  return 'repeats' in OUTCOMES[outcome] && !PASSING.has(status)
}
