/** Events and figures as the config asks for them, and what they answer to the admin port. */

import { EventObserver } from '../events/observer.ts'
import type { StageDependencies } from '../workers/processes.ts'
import { Recorder } from './recorder.ts'

export async function createEvents({ config, publisher, topics }: StageDependencies): Promise<EventObserver> {
  const recorder = new Recorder()
  const options = { buffer: config.events.buffer, traces: config.events.otlp !== undefined }
  const observer = new EventObserver(options, recorder, publisher)
  topics.figures = () => {
    observer.flush()
    return recorder.snapshot()
  }
  topics.events = () => observer.counts()
  if (config.adminPort !== undefined) {
    const { processMetrics } = await import('./prometheus.ts')
    const registry = processMetrics()
    topics.process = () => registry.getMetricsAsJSON()
  }
  return observer
}
