/**
 * Kubernetes objects for the reference gateway, one worker a pod: Deployment, Service, HPA with explicit behaviour,
 * PodDisruptionBudget and ConfigMap, or KEDA's ScaledObject in place of the HPA. Built and validated with
 * kubernetes-models, which carries the schemas that Kubernetes and KEDA publish.
 */
import { ScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject'
import { Deployment } from 'kubernetes-models/apps/v1/Deployment'
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler'
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget'
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap'
import { Namespace } from 'kubernetes-models/v1/Namespace'
import { Service } from 'kubernetes-models/v1/Service'
import { stringify } from 'yaml'
import {
  containerSecurity,
  type Manifest,
  type ManifestFiles,
  manifestFiles,
  NAMESPACE_FILE,
  POD_SECURITY,
  podSecurity,
  UID,
} from '../manifests/manifests.ts'
import { behavior } from './scaling-behavior.ts'
import type { ClusterSettings } from './settings.ts'

const PORT = 41_002

export function kubernetesManifests(settings: ClusterSettings): ManifestFiles {
  return manifestFiles(comment(settings), { ...common(settings), 'hpa.yaml': horizontalPodAutoscaler(settings) })
}

export function kedaManifests(settings: ClusterSettings): ManifestFiles {
  return manifestFiles(comment(settings), { ...common(settings), 'scaledobject.yaml': scaledObject(settings) })
}

function comment({ answer }: ClusterSettings): string {
  return `kt plan: ${answer}`
}

function common(settings: ClusterSettings): Record<string, Manifest> {
  const { maxUnavailable } = settings
  const metadata = metadataOf(settings)
  return {
    [NAMESPACE_FILE]: new Namespace({
      metadata: { name: settings.namespace, labels: { [POD_SECURITY]: 'restricted' } },
    }),
    'configmap.yaml': new ConfigMap({ metadata, data: { 'gateway.yaml': gatewayConfig(settings, PORT) } }),
    'deployment.yaml': deployment(settings),
    'service.yaml': new Service({
      metadata,
      spec: { selector: labels(settings), ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
    }),
    'pdb.yaml': new PodDisruptionBudget({
      metadata,
      // As many as the zones that may be lost hold: with those gone, nothing else may be evicted.
      spec: {
        maxUnavailable: maxUnavailable.endsWith('%') ? maxUnavailable : Number(maxUnavailable),
        selector: { matchLabels: labels(settings) },
      },
    }),
  }
}

function deployment(settings: ClusterSettings): Deployment {
  const { name, zones, image, cpu, memory, maxSurge, preStopS, gracePeriodS } = settings
  const selector = { matchLabels: labels(settings) }
  return new Deployment({
    metadata: metadataOf(settings),
    spec: {
      // No replicas: the autoscaler sets them, and each apply would set them back.
      selector,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable: 0 } },
      template: {
        metadata: { labels: labels(settings) },
        spec: {
          terminationGracePeriodSeconds: gracePeriodS,
          automountServiceAccountToken: false,
          securityContext: podSecurity(UID),
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              // Zones stay even while a deployment rolls, since only pods of one revision are counted together.
              matchLabelKeys: ['pod-template-hash'],
              minDomains: zones,
              topologyKey: 'topology.kubernetes.io/zone',
              whenUnsatisfiable: 'DoNotSchedule',
              nodeTaintsPolicy: 'Honor',
              labelSelector: selector,
            },
            {
              maxSkew: 1,
              topologyKey: 'kubernetes.io/hostname',
              whenUnsatisfiable: 'ScheduleAnyway',
              labelSelector: selector,
            },
          ],
          containers: [
            {
              name: 'gateway',
              image,
              args: ['gateway', 'start', '--config', '/etc/kt/gateway.yaml'],
              ports: [{ name: 'http', containerPort: PORT }],
              // Required: a pod without its keys must not become ready.
              env: SECRETS.map((key) => ({ name: key, valueFrom: { secretKeyRef: { name, key } } })),
              resources: {
                requests: { cpu: `${cpu.requestMillicores}m`, memory: `${memory.requestMib}Mi` },
                limits: { cpu: `${cpu.limitMillicores}m`, memory: `${memory.limitMib}Mi` },
              },
              readinessProbe: { httpGet: { path: '/readyz', port: 'http' }, periodSeconds: 5 },
              livenessProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 10, failureThreshold: 3 },
              lifecycle: { preStop: { sleep: { seconds: preStopS } } },
              securityContext: containerSecurity(),
              volumeMounts: [
                { name: 'config', mountPath: '/etc/kt', readOnly: true },
                { name: 'tmp', mountPath: '/tmp' },
              ],
            },
          ],
          volumes: [
            { name: 'config', configMap: { name } },
            { name: 'tmp', emptyDir: {} },
          ],
        },
      },
    },
  })
}

function horizontalPodAutoscaler(settings: ClusterSettings): HorizontalPodAutoscaler {
  const { name, minReplicas, maxReplicas, targetPercent } = settings
  return new HorizontalPodAutoscaler({
    metadata: metadataOf(settings),
    spec: {
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
      minReplicas,
      maxReplicas,
      metrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: targetPercent } },
        },
      ],
      behavior: behavior(),
    },
  })
}

/** CPU, and the bytes each pod sends: the network can bind while the CPU idles. */
function scaledObject(settings: ClusterSettings): ScaledObject {
  const { name, minReplicas, maxReplicas, targetPercent, sentBytesPerSec, prometheusUrl } = settings
  return new ScaledObject({
    metadata: metadataOf(settings),
    spec: {
      scaleTargetRef: { name },
      pollingInterval: 30,
      cooldownPeriod: 300,
      minReplicaCount: minReplicas,
      maxReplicaCount: maxReplicas,
      advanced: { horizontalPodAutoscalerConfig: { behavior: behavior() } },
      triggers: [
        { type: 'cpu', metricType: 'Utilization', metadata: { value: String(targetPercent) } },
        {
          type: 'prometheus',
          metricType: 'AverageValue',
          metadata: {
            serverAddress: prometheusUrl,
            // The pod's own interface, in its namespace: others of that name, and the host's, are not counted.
            query:
              `sum(rate(container_network_transmit_bytes_total{namespace="${settings.namespace}",` +
              `pod=~"${name}-[0-9a-f]+-[0-9a-z]+",interface="eth0"}[1m]))`,
            threshold: String(sentBytesPerSec),
          },
        },
      ],
    },
  })
}

function metadataOf(settings: ClusterSettings) {
  return { name: settings.name, namespace: settings.namespace, labels: labels(settings) }
}

function labels({ name }: ClusterSettings): Record<string, string> {
  return { 'app.kubernetes.io/name': name }
}

/** Of the Secret: what the gateway asks its provider with, and what its clients ask the gateway with. */
const SECRETS = ['OPENAI_API_KEY', 'GATEWAY_API_KEY'] as const

function reference(secret: (typeof SECRETS)[number]): string {
  return `$\{${secret}}`
}

/** The reference gateway's own configuration for a pod, in the keys that it reads. */
function gatewayConfig(
  { providerUrl, upstream, upstreamConnections, mostInFlight, bodies, longestStreamS }: ClusterSettings,
  port: number,
): string {
  return stringify({
    gateway: {
      host: '0.0.0.0',
      port,
      // Whoever reaches the service would spend the provider's key.
      auth: { keys: [{ key: reference('GATEWAY_API_KEY'), tenant: 'default' }] },
      providers: [
        {
          name: 'openai',
          base_url: providerUrl,
          protocol: 'openai',
          api_key: reference('OPENAI_API_KEY'),
          models: ['*'],
        },
      ],
      limits: {
        max_body: `${Math.ceil(bodies.bodyBytes / 1024 ** 2)}MB`,
        max_in_flight: mostInFlight,
        // The pod's grace period leaves this long after its preStop.
        drain_timeout: `${longestStreamS}s`,
      },
      upstream: { http_version: upstream },
      // What is deterministic, by tenant and pod; few enough for the memory that a pod requests.
      cache: { enabled: true, backend: 'memory', ttl: '3600s', max_entries: 1_000, cache_when: { temperature: 0 } },
      connection_pool: {
        max_idle_per_host: Math.min(upstreamConnections, Math.max(32, Math.ceil(upstreamConnections / 4))),
        max_total: upstreamConnections,
      },
    },
  })
}
