/**
 * Categories of requests and their SLO objectives; the category of a request by endpoint, prompt tokens and headers;
 * and the error budget. src/verdict/slo-file.ts reads the file of categories, src/verdict/slo.ts judges runs.
 */

export interface Targets {
  p50Ms?: number
  p99Ms?: number
}

interface CategoryRule {
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
  match: CategoryRule | null
}

/** The traits of a request that classify it. */
interface RequestTraits {
  endpoint: string
  /** Null where the tokens were not counted. */
  promptTokens: number | null
  headers: Readonly<Record<string, string>>
}

/** The first category that matches; undefined when none does, or when a trait that its rule needs is unknown. */
export function findCategory(request: RequestTraits, categories: readonly Category[]): Category | undefined {
  return categories.find(({ match }) => match !== null && matches(request, match))
}

function matches({ endpoint, promptTokens, headers }: RequestTraits, match: CategoryRule): boolean {
  if (match.endpoint !== undefined && match.endpoint !== endpoint) return false
  for (const [name, value] of Object.entries(match.header ?? {})) if (headers[name] !== value) return false
  const { minPromptTokens, maxPromptTokens } = match
  if (minPromptTokens === undefined && maxPromptTokens === undefined) return true
  if (promptTokens === null) return false
  return promptTokens >= (minPromptTokens ?? 0) && promptTokens <= (maxPromptTokens ?? Number.POSITIVE_INFINITY)
}

/** The tail targets of a category. A request is good when it is answered within all of them. */
export function tailTargets({ latency, ttft, timeoutMs }: Category): { latencyMs: number; ttftMs: number | undefined } {
  return { latencyMs: latency.p99Ms ?? timeoutMs, ttftMs: ttft.p99Ms }
}

interface ErrorBudget {
  objective: number
  /** Requests that may be bad at this objective, of those that were sent. */
  allowed: number
  bad: number
  /** bad / allowed. */
  burn: number
}

/**
 * The error budget of an objective (Beyer et al., The Site Reliability Workbook, 5). Goodput is the share of requests
 * within all their targets, the budget is the share that the objective leaves, and burn is how fast it is spent: 1
 * spends it exactly, above 1 it will not last.
 */
export function errorBudget(requests: number, bad: number, objective: number): ErrorBudget {
  const allowed = Number(((1 - objective) * requests).toFixed(6))
  return { objective, allowed, bad, burn: Number((bad / requests / (1 - objective)).toFixed(6)) }
}
