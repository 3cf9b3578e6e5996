/** Events and figures as the config asks for them, and what they answer to the admin port. */
import { Recorder } from '../metrics/recorder.ts'
import type { StageSurroundings } from '../stages.ts'
import { EventObserver } from './observer.ts'

export async function createEvents({ config, publisher, topics }: StageSurroundings): Promise<EventObserver> {
  const recorder = new Recorder()
  const options = { buffer: config.events.buffer, traces: config.events.otlp !== undefined }
  const observer = new EventObserver(options, recorder, publisher)
  topics.figures = () => {
    observer.flush()
    return recorder.snapshot()
  }
  topics.events = () => observer.counts()
  if (config.adminPort !== undefined) {
    const { processMetrics } = await import('../metrics/prometheus.ts')
    const registry = processMetrics()
    topics.process = () => registry.getMetricsAsJSON()
  }
  return observer
}
