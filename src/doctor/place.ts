/** Where to measure: a gateway that was named, or one started from its config; and the simulated provider behind it, where there is one. */
import { gatewayConfigSchema } from '../../reference-gateway/config/config.ts'
import { type Target, targetOf } from '../client/target.ts'
import { UserError } from '../errors.ts'
import { isProviderItself } from '../overhead/provider-itself.ts'
import { parseWith } from '../parse/file.ts'
import type { GatewayFile } from './config/read.ts'
import { MOST_REQUESTS, TOKENS } from './probe/measure.ts'
import type { DoctorHooks, DoctorRequest } from './request.ts'
import { runFromConfig } from './run.ts'

export interface Place {
  target: Target
  providerOrigin: string | undefined
  /** Of two clients. */
  keys: readonly [string | undefined, string | undefined]
  fresh: boolean
  close(): Promise<void>
}

/** Where to measure, if anywhere. */
export async function openPlace(
  request: DoctorRequest,
  file: GatewayFile | undefined,
  hooks: DoctorHooks,
): Promise<Place | undefined> {
  const { url, 'provider-url': providerUrl, 'api-key': key, 'other-api-key': other } = request
  if (request.run) {
    if (file?.kind !== 'kt') {
      throw new UserError(
        `--run starts the reference gateway: ${request.config} is of another`,
        'Start that gateway, and name it with --url.',
      )
    }
    const { clientKeys = [] } = parseWith(file.raw, gatewayConfigSchema(process.env), file.path, 'gateway config')
    const pair = await runFromConfig(file, hooks.note)
    const own = [clientKeys[0]?.value, clientKeys.find(({ tenant }) => tenant !== clientKeys[0]?.tenant)?.value]
    return {
      target: targetOf(pair.gatewayUrl, 'chat'),
      providerOrigin: pair.providerUrl,
      keys: [key ?? own[0] ?? STAND_IN[0], other ?? own[1] ?? STAND_IN[1]],
      fresh: true,
      close: pair.close,
    }
  }
  if (url === undefined) return undefined
  const target = targetOf(url, 'chat')
  if (await isProviderItself(target.origin)) {
    throw new UserError(
      `${target.origin} is kt's simulated provider itself, not a gateway`,
      'Name the gateway with --url, and this one with --provider-url.',
    )
  }
  const providerOrigin = await findProvider(providerUrl, file)
  return {
    target,
    providerOrigin,
    // A real provider would refuse a made-up key, and all would fail of it.
    keys: [key ?? (providerOrigin === undefined ? undefined : STAND_IN[0]), other ?? STAND_IN[1]],
    fresh: false,
    close: async () => {},
  }
}

const STAND_IN = ['kt-doctor-one', 'kt-doctor-two'] as const

/** The simulated provider that was named, or that the config names, where one answers there. */
async function findProvider(given: string | undefined, file: GatewayFile | undefined): Promise<string | undefined> {
  if (given !== undefined) {
    const { origin } = targetOf(given, 'chat')
    if (await isProviderItself(origin)) return origin
    throw new UserError(
      `no simulated provider answers at ${origin}`,
      "Start one with 'kt provider start', and let the gateway ask it.",
    )
  }
  if (file?.kind !== 'kt') return undefined
  for (const { base_url: base } of file.config.gateway.providers) {
    if (!targetOf(base.origin, 'chat').isPublic && (await isProviderItself(base.origin))) return base.origin
  }
  return undefined
}

/** Before anything is sent to an address outside of this network. */
export function announce({ isPublic, origin }: Target, note: (line: string) => void): void {
  if (!isPublic) return
  note(`${new URL(origin).host} is a public address. kt doctor sends up to ${MOST_REQUESTS} requests,`)
  note(`each for up to ${TOKENS} tokens.`)
}
