/** The reference gateway's own configuration for a pod, in the keys that it reads. */
import { stringify } from 'yaml'
import type { ClusterSettings } from './settings.ts'

export function gatewayConfig(
  { providerUrl, upstream, upstreamConnections, mostInFlight, bodies, longestStreamS }: ClusterSettings,
  port: number,
): string {
  return stringify({
    gateway: {
      host: '0.0.0.0',
      port,
      providers: [
        {
          name: 'openai',
          base_url: providerUrl,
          protocol: 'openai',
          api_key: '$'.concat('{OPENAI_API_KEY}'),
          models: ['*'],
        },
      ],
      limits: {
        max_body: `${bodies.body.maxBytes / 1024 ** 2}MB`,
        max_in_flight: mostInFlight,
        // The pod's grace period leaves this long after its preStop.
        drain_timeout: `${longestStreamS}s`,
      },
      upstream: { http_version: upstream },
      connection_pool: {
        max_idle_per_host: Math.max(32, Math.ceil(upstreamConnections / 4)),
        max_total: upstreamConnections,
      },
    },
  })
}
