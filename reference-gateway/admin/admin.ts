/**
 * Opens what stands beside the server, in the one process that answers for all: the event hub, the admin port, the port
 * of the metrics, the access log. Where the config asks for none of them, none of their code is loaded.
 */
import { ADMIN_PORT } from '../../src/system/serve.ts'
import type { GatewayConfig } from '../config/config.ts'
import { emitsEvents } from '../config/config-file.ts'
import type { PublishedEvents } from '../events/observer.ts'
import type { WorkerGroup } from '../workers/worker-group.ts'
import type { AdminServer } from './server.ts'

export interface Admin {
  /** Undefined without an admin port. */
  url: string | undefined
  /** Undefined without a port for metrics. */
  metricsUrl: string | undefined
  close(): Promise<void>
}

type AdminConfig = Pick<GatewayConfig, 'events' | 'adminPort' | 'admin' | 'metrics' | 'accessLog'>

/** Rejects with the system's error when a port cannot open. Call it once for all processes together. */
export async function openAdmin(
  config: AdminConfig,
  workers: WorkerGroup,
  report: (problem: string) => void,
): Promise<Admin> {
  const open: { close(): Promise<void> }[] = []
  const close = async (): Promise<void> => {
    for (const one of open.reverse()) await one.close()
  }
  try {
    const ports = await openPorts(config, workers, report, open)
    if (config.accessLog) {
      const { AccessLogWriter } = await import('../events/access-log.ts')
      open.push(new AccessLogWriter(config.accessLog, workers, report))
    }
    return { ...ports, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Adds what it opens to `open`. */
async function openPorts(
  config: AdminConfig,
  workers: WorkerGroup,
  report: (problem: string) => void,
  open: { close(): Promise<void> }[],
): Promise<Omit<Admin, 'close'>> {
  const { adminPort, admin, metrics } = config
  const withEvents = emitsEvents(config)
  if (!withEvents && adminPort === undefined && !metrics) return { url: undefined, metricsUrl: undefined }
  const [{ EventHub }, { startAdmin, startMetrics }, { AdminView }, { MetricsRecorder }, { EVENTS_CHANNEL }] =
    await Promise.all([
      import('../events/hub.ts'),
      import('./server.ts'),
      import('./view.ts'),
      import('../metrics/recorder.ts'),
      import('../events/observer.ts'),
    ])
  const hub = withEvents ? await EventHub.open(config.events, workers, report) : undefined
  if (hub) open.push(hub)
  const recorder = hub && (adminPort !== undefined || metrics) ? new MetricsRecorder() : undefined
  if (recorder) workers.subscribe(EVENTS_CHANNEL, (batch) => recorder.recordAll(batch as PublishedEvents))
  const view = new AdminView(workers, hub, recorder)
  const opened = async (starting: Promise<AdminServer>): Promise<string> => {
    const server = await starting
    open.push(server)
    return server.url
  }
  const openAt = (port: number): Promise<string> => opened(startAdmin({ port, ...admin, view, hub }))
  return {
    url:
      adminPort === 'auto'
        ? await ifFree(openAt, report)
        : adminPort === undefined
          ? undefined
          : await openAt(adminPort),
    metricsUrl: metrics && (await opened(startMetrics({ ...metrics, view, hub }))),
  }
}

/** Nobody has asked for this port by its number: where another gateway has it, this one serves without. */
async function ifFree(
  openAt: (port: number) => Promise<string>,
  report: (problem: string) => void,
): Promise<string | undefined> {
  try {
    return await openAt(ADMIN_PORT)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
    report(`no admin port, since ${ADMIN_PORT} is taken: admin_port: 0 (--admin-port 0) takes any free one`)
    return undefined
  }
}
