/** What `kt bench` shows of a run before there is one: its plan without sending, or one exchange. */

/** Head and body as they leave; secrets are masked. */
interface ShownRequest {
  head: string[]
  body: string
}

export interface DryRun {
  schema: 'kt.dry-run/1'
  /** Every option that is set, by the keys of a config file. */
  options: Record<string, unknown>
  arms: { name: string; url: string }[]
  /** What they come to: the load, and how it is sent. */
  run: Record<string, unknown>
  request: ShownRequest
  sends: {
    /** On each arm, the warm-up among them; null where only time limits them. */
    requests: number | null
    warmup: number
    inputTokens: number
    outputTokens: number
    /** Of the whole run; null where the number of requests is not known. */
    tokens: number | null
    /** US dollars by the list price of the model; null where there is none, or where all of it is kt's own. */
    usd: number | null
    priceFrom: string | null
  }
}

export interface Exchange {
  schema: 'kt.exchange/1'
  url: string
  request: ShownRequest
  /** Null where none came. */
  answer: { status: number; head: string[]; body: string } | null
  /** Why no answer came, or not the whole of it. */
  error: string | null
  /** From the request on; null for what did not happen. */
  firstByteMs: number | null
  totalMs: number
}
