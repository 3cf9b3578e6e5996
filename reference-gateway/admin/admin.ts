/**
 * Opens the event hub and the admin port, beside the server, in the one process that answers for all. Where the config
 * asks for neither, none of their code is loaded.
 */
import type { GatewayConfig } from '../config/config.ts'
import { emitsEvents } from '../config/config-file.ts'
import type { PublishedEvents } from '../events/observer.ts'
import type { WorkerGroup } from '../workers/worker-group.ts'
import type { AdminServer } from './server.ts'

export interface Admin {
  /** Undefined without an admin port. */
  url: string | undefined
  close(): Promise<void>
}

/** Rejects with the system's error when the admin port cannot open. Call it once for all processes together. */
export async function openAdmin(
  config: Pick<GatewayConfig, 'events' | 'adminPort' | 'admin'>,
  workers: WorkerGroup,
  report: (problem: string) => void,
): Promise<Admin> {
  const withEvents = emitsEvents(config)
  if (!withEvents && config.adminPort === undefined) return { url: undefined, close: async () => {} }
  const [{ EventHub }, { startAdmin }, { AdminView }, { MetricsRecorder }, { EVENTS_CHANNEL }] = await Promise.all([
    import('../events/hub.ts'),
    import('./server.ts'),
    import('./view.ts'),
    import('../metrics/recorder.ts'),
    import('../events/observer.ts'),
  ])
  const hub = withEvents ? await EventHub.open(config.events, workers, report) : undefined
  let server: AdminServer | undefined
  if (config.adminPort !== undefined) {
    const recorder = hub && new MetricsRecorder()
    if (recorder) workers.subscribe(EVENTS_CHANNEL, (batch) => recorder.recordAll(batch as PublishedEvents))
    const view = new AdminView(workers, hub, recorder)
    try {
      server = await startAdmin({ port: config.adminPort, token: config.admin.token, view, hub })
    } catch (error) {
      await hub?.close()
      throw error
    }
  }
  return {
    url: server?.url,
    close: async () => {
      await server?.close()
      await hub?.close()
    },
  }
}
