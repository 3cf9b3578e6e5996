/**
 * The plan for Kong: kong.conf for a node of its own, values for the chart kong/kong (its keys: env, resources,
 * autoscaling, podDisruptionBudget, topologySpreadConstraints, lifecycle). One worker a pod, as the plan counts. Kong's
 * quit waits for streams.
 */
import { stringify } from 'yaml'
import { kongDirectives, kongPluginConfig } from '../plan/buffers.ts'
import { behavior } from './scaling-behavior.ts'
import type { ClusterSettings } from './settings.ts'

function directives({ bodies, upstreamConnections }: ClusterSettings): Record<string, string> {
  return {
    ...kongDirectives(bodies),
    upstream_keepalive_pool_size: String(upstreamConnections),
    // Streams are long: few requests reuse a connection, and none must be closed for its count.
    upstream_keepalive_max_requests: '10000',
    upstream_keepalive_idle_timeout: '60',
  }
}

export function kongConf(settings: ClusterSettings): Record<string, string> {
  const lines = {
    nginx_worker_processes: 'auto',
    nginx_events_worker_connections: String(settings.connectionsPerWorker),
    nginx_main_worker_rlimit_nofile: String(settings.connectionsPerWorker),
    ...directives(settings),
  }
  return {
    'kong.conf': [
      `# kt plan: ${settings.answer}`,
      `# bodies: ${settings.bodies.name} profile; keep the shell's descriptor limit at ` +
        `${settings.connectionsPerWorker} or more`,
      '# in the config of each AI plugin, which reads 8 KiB by default (newer: 1 MiB): ' +
        `max_request_body_size: ${kongPluginConfig(settings.bodies).max_request_body_size}`,
      ...Object.entries(lines).map(([name, value]) => `${name} = ${value}`),
      '',
    ].join('\n'),
  }
}

export function helmValues(settings: ClusterSettings): Record<string, string> {
  const {
    minReplicas,
    maxReplicas,
    cpu,
    memory,
    targetPercent,
    maxSurge,
    maxUnavailable,
    gracePeriodS,
    preStopS,
    longestStreamS,
  } = settings
  const zoneSpread = {
    maxSkew: 1,
    matchLabelKeys: ['pod-template-hash'],
    minDomains: settings.zones,
    topologyKey: 'topology.kubernetes.io/zone',
    whenUnsatisfiable: 'DoNotSchedule',
    nodeTaintsPolicy: 'Honor',
    labelSelector: { matchLabels: { 'app.kubernetes.io/name': 'kong', 'app.kubernetes.io/component': 'app' } },
  }
  const values = {
    env: {
      nginx_worker_processes: '1',
      nginx_events_worker_connections: String(settings.connectionsPerWorker),
      ...directives(settings),
    },
    resources: {
      requests: { cpu: `${cpu.requestMillicores}m`, memory: `${memory.requestMib}Mi` },
      limits: { cpu: `${cpu.limitMillicores}m`, memory: `${memory.limitMib}Mi` },
    },
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable: 0 } },
    terminationGracePeriodSeconds: gracePeriodS,
    lifecycle: {
      preStop: { exec: { command: ['kong', 'quit', `--wait=${preStopS}`, `--timeout=${longestStreamS}`] } },
    },
    topologySpreadConstraints: [zoneSpread],
    autoscaling: {
      enabled: true,
      minReplicas,
      maxReplicas,
      behavior: behavior(),
      metrics: [
        {
          // Of Kong's container alone: the chart's ingress controller beside it requests no CPU, and would make a pod's
          // share unknown.
          type: 'ContainerResource',
          containerResource: {
            name: 'cpu',
            container: 'proxy',
            target: { type: 'Utilization', averageUtilization: targetPercent },
          },
        },
      ],
    },
    podDisruptionBudget: { enabled: true, maxUnavailable },
  }
  return {
    'values.yaml':
      `# kt plan: ${settings.answer}\n# For the chart kong/kong. In the config of each AI plugin: ` +
      `max_request_body_size: ${kongPluginConfig(settings.bodies).max_request_body_size}\n` +
      stringify(values, { lineWidth: 0 }),
  }
}
