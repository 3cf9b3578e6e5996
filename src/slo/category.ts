/**
 * Categories of requests and what each is promised; and which category a request belongs to: by endpoint, by the tokens of its prompt,
 * by a header. Pure: the file is read in src/verdict/slo-file.ts, runs are judged in src/verdict/slo.ts.
 */

export interface Targets {
  p50Ms?: number
  p99Ms?: number
}

interface Match {
  endpoint?: string
  minPromptTokens?: number
  maxPromptTokens?: number
  /** Names in lower case. */
  header?: Record<string, string>
}

export interface Category {
  name: string
  latency: Targets
  ttft: Targets
  timeoutMs: number
  /** The share of requests that must be within all targets. */
  objective: number
  match: Match | null
}

/** What is known of a request when it is classified. */
export interface RequestTraits {
  endpoint: string
  /** Null where nobody counted. */
  promptTokens: number | null
  headers: Readonly<Record<string, string>>
}

/** The first category that matches; undefined when none does, or when what it asks for is not known. */
export function categoryOf(request: RequestTraits, categories: readonly Category[]): Category | undefined {
  return categories.find(({ match }) => match !== null && matches(request, match))
}

function matches({ endpoint, promptTokens, headers }: RequestTraits, match: Match): boolean {
  if (match.endpoint !== undefined && match.endpoint !== endpoint) return false
  for (const [name, value] of Object.entries(match.header ?? {})) if (headers[name] !== value) return false
  const { minPromptTokens, maxPromptTokens } = match
  if (minPromptTokens === undefined && maxPromptTokens === undefined) return true
  if (promptTokens === null) return false
  return promptTokens >= (minPromptTokens ?? 0) && promptTokens <= (maxPromptTokens ?? Number.POSITIVE_INFINITY)
}

/** A request is good when it was answered in time and within every target of the tail. */
export function tailTargets({ latency, ttft, timeoutMs }: Category): { latencyMs: number; ttftMs: number | undefined } {
  return { latencyMs: latency.p99Ms ?? timeoutMs, ttftMs: ttft.p99Ms }
}

/**
 * Goodput is the share of requests within all their targets; the error budget is what the objective leaves; burn is how fast it is
 * spent: 1 spends it exactly, above 1 it will not last (Beyer et al., The Site Reliability Workbook, 5).
 */

interface ErrorBudget {
  objective: number
  /** Requests that may be bad at this objective, of those that were sent. */
  allowed: number
  bad: number
  /** bad / allowed. */
  burn: number
}

export function errorBudget(requests: number, bad: number, objective: number): ErrorBudget {
  const allowed = Number(((1 - objective) * requests).toFixed(6))
  return { objective, allowed, bad, burn: Number((bad / requests / (1 - objective)).toFixed(6)) }
}
