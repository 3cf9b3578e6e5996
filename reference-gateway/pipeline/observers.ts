/** What the observers of a request are asked on its way up, and the time that this takes. */
import type { Observer } from '../http/hooks.ts'
import type { RequestContext } from '../http/request-context.ts'

export function notifyStart(observers: readonly Observer[], context: RequestContext): void {
  if (observers.length === 0) return
  const startMs = performance.now()
  for (const observer of observers) observer.onStart?.(context)
  context.timings.observed(startMs)
}

/** Headers of theirs for the upstream request. */
export function observersHeaders(observers: readonly Observer[], context: RequestContext): readonly string[] {
  if (!observers.some(({ upstreamHeaders }) => upstreamHeaders)) return []
  const startMs = performance.now()
  const headers: string[] = []
  for (const observer of observers) {
    const own = observer.upstreamHeaders?.(context)
    if (own) headers.push(...own)
  }
  context.timings.observed(startMs)
  return headers
}
