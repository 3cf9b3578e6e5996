/** What stands beside the serving: the hub of events and the admin port, in the one process that speaks for all. */
import type { GatewayConfig } from '../config.ts'
import { emitsEvents } from '../events/config-file.ts'
import { EventHub } from '../events/hub.ts'
import type { Processes } from '../processes/processes.ts'
import type { Admin } from './open.ts'
import { type AdminServer, startAdmin } from './server.ts'
import { AdminView } from './view.ts'

export async function startSpeaking(
  config: Pick<GatewayConfig, 'events' | 'adminPort' | 'admin'>,
  processes: Processes,
  report: (problem: string) => void,
): Promise<Admin> {
  const hub = emitsEvents(config) ? await EventHub.open(config.events, processes, report) : undefined
  let server: AdminServer | undefined
  if (config.adminPort !== undefined) {
    const view = new AdminView(processes, hub)
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
