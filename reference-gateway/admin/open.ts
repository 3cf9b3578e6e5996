/** Opens the hub of events and the admin port where the config asks for either; where it does not, loads nothing of them. */
import type { GatewayConfig } from '../config.ts'
import { emitsEvents } from '../events/config-file.ts'
import type { Processes } from '../processes/processes.ts'

export interface Admin {
  /** Undefined without an admin port. */
  url: string | undefined
  close(): Promise<void>
}

const NONE: Admin = { url: undefined, close: async () => {} }

/** Rejects with the system's error when the admin port cannot be had. To be called once for all processes together. */
export async function openAdmin(
  config: Pick<GatewayConfig, 'events' | 'adminPort' | 'admin'>,
  processes: Processes,
  report: (problem: string) => void,
): Promise<Admin> {
  if (!emitsEvents(config) && config.adminPort === undefined) return NONE
  const { startSpeaking } = await import('./admin.ts')
  return startSpeaking(config, processes, report)
}
