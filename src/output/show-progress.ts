/** Shows how far a run is in the form that a place has room for: a screen, a line, a line of a log. */
import type { ChalkInstance } from 'chalk'
import { type LiveView, liveLines, type Size } from './live-view.ts'
import { type Extent, type ProgressView, progressLine, progressLogLine } from './progress.ts'

interface Sink {
  show(shown: {
    line(width: number): string
    logLine(): string
    screen?: ((size: Size, notes: readonly string[]) => string[]) | undefined
  }): void
}

/** What is known of a run that goes on; asked for only when it is drawn. */
export type LiveSource = () => LiveView

export function showProgress(
  sink: Sink,
  view: ProgressView,
  extent: Extent,
  live?: { source: LiveSource; c: ChalkInstance } | undefined,
): void {
  sink.show({
    line: (width) => progressLine(view, extent, width),
    logLine: () => progressLogLine(view, extent),
    screen: live && ((size, notes) => liveLines(live.source(), view, extent, size, live.c, notes)),
  })
}
