/** The embedded pair: `kt provider start` and `kt gateway start` as child processes, for benches without --url. */
import { startServer } from './child-server.ts'

export interface EmbeddedPair {
  providerUrl: string
  gatewayUrl: string
  /** Of the gateway, or of the primary of its processes. */
  gatewayPid: number | undefined
  close(): Promise<void>
}

export interface PairOptions {
  /** Processes of the gateway. */
  workers?: number
  /** The gateway's config file. */
  config?: string
  /** Between two tokens of the provider, as `--token-gap` takes it. */
  tokenGap?: string | undefined
}

/** Spread, so that the slots of a closed loop do not fall into step and queue behind each other. */
const TTFT = 'lognormal(20ms,0.3)'

/**
 * Starts both on the first free ports from 41001 and 41002 on; `note` hears which ones, where they are not those. The gateway is
 * the conservative one unless `config` names a file.
 */
export function startEmbeddedPair(
  injectDelayMs: number,
  note: (line: string) => void,
  { workers = 1, config, tokenGap }: PairOptions = {},
): Promise<EmbeddedPair> {
  const gatewayFlags = (providerUrl: string): string[] => [
    ...['--upstream', `${providerUrl}/v1`],
    ...(workers > 1 ? ['--workers', String(workers)] : []),
    ...(config === undefined ? [] : ['--config', config]),
    ...(injectDelayMs > 0 ? ['--inject-delay', `${injectDelayMs}ms`] : []),
  ]
  const pace = tokenGap === undefined ? [] : ['--token-gap', tokenGap]
  return startPair(['--ttft', TTFT, ...pace], gatewayFlags, note)
}

/** The same with flags of one's own for `kt provider start` and, once the provider's address is known, `kt gateway start`. */
export async function startPair(
  providerFlags: readonly string[],
  gatewayFlags: (providerUrl: string) => readonly string[],
  note: (line: string) => void,
): Promise<EmbeddedPair> {
  const provider = await startServer(['provider', 'start', ...providerFlags], note)
  const gateway = await startServer(['gateway', 'start', ...gatewayFlags(provider.url)], note).catch(async (error) => {
    await provider.close()
    throw error
  })
  const close = async (): Promise<void> => {
    // The gateway first: it holds connections to the provider.
    await gateway.close()
    await provider.close()
  }
  return { providerUrl: provider.url, gatewayUrl: gateway.url, gatewayPid: gateway.pid, close }
}
