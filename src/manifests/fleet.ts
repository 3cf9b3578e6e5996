/**
 * Kubernetes objects for a fleet: an Indexed Job with a worker a pod and a node, a NATS server with JetStream where no
 * address of one is given, and network policies. Built and validated with kubernetes-models.
 */
import { Deployment } from 'kubernetes-models/apps/v1/Deployment'
import { Job } from 'kubernetes-models/batch/v1/Job'
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy'
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap'
import { Namespace } from 'kubernetes-models/v1/Namespace'
import { Service } from 'kubernetes-models/v1/Service'
import { counted, formatBytes } from '../units.ts'
import type { FleetSettings } from './fleet-flags.ts'
import { containerSecurity, type Manifest, NAMESPACE_FILE, POD_SECURITY, podSecurity, UID } from './manifests.ts'

const NATS_PORT = 4_222
const MONITOR_PORT = 8_222
/** Of the broker: what the workers of a run hand over stays there until the coordinator has it. */
const NATS_MIB = 1_024
const STORE_MIB = 4_096
const CREDENTIALS = ['NATS_USER', 'NATS_PASSWORD'] as const

export function fleetManifests(settings: FleetSettings): Record<string, Manifest> {
  const { nats, namespace, realtime } = settings
  return {
    [NAMESPACE_FILE]: new Namespace({
      // A namespace with the restricted standard refuses SYS_NICE, and so does the baseline.
      metadata: { name: namespace, labels: { [POD_SECURITY]: realtime ? 'privileged' : 'restricted' } },
    }),
    ...('image' in nats && broker(settings, nats.image)),
    'job.yaml': workers(settings),
    'networkpolicy-workers.yaml': workersPolicy(settings),
  }
}

/** What the fleet is, in one line. */
export function fleetSummary({ workers: count, millicores, memoryMib, nats }: FleetSettings): string {
  const each = `${counted(millicores / 1_000, 'CPU')}, ${formatBytes(memoryMib * 1024 ** 2)}`
  const where = 'url' in nats ? `NATS at ${nats.url}` : `NATS of its own (${nats.image})`
  return `${counted(count, 'worker')} of ${each} on ${counted(count, 'node')}, ${where}`
}

/** What is left to do for whoever applies them. */
export function fleetHints({ name, nats, secret, namespace, to }: FleetSettings): string[] {
  const literals = CREDENTIALS.map((key) => `--from-literal=${key}=...`).join(' ')
  return [
    ...(secret === undefined
      ? []
      : [`pods wait for their Secret: kubectl create secret generic ${secret} -n ${namespace} ${literals}`]),
    ...('image' in nats
      ? [`a coordinator outside: kubectl port-forward -n ${namespace} service/${name}-nats 4222`]
      : []),
    ...(to.length === 0 ? ['the network policy lets workers send anywhere: name your target with --to'] : []),
  ]
}

function workers(settings: FleetSettings): Job {
  const { name, workers: count, image, realtime, graceS, deadlineS, nodeSelector } = settings
  return new Job({
    metadata: metadataOf(settings, 'worker'),
    spec: {
      completionMode: 'Indexed',
      completions: count,
      parallelism: count,
      // No pod comes back: a second worker of a name would send what the first has sent already. By index, since a
      // limit for the whole Job (backoffLimit: 0) ends all the other workers with the first one that fails.
      backoffLimitPerIndex: 0,
      activeDeadlineSeconds: deadlineS,
      ttlSecondsAfterFinished: 3_600,
      template: {
        metadata: {
          labels: labels(settings, 'worker'),
          // Neither of the two that empty nodes may take one away within a run.
          annotations: {
            'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false',
            'karpenter.sh/do-not-disrupt': 'true',
          },
        },
        spec: {
          restartPolicy: 'Never',
          terminationGracePeriodSeconds: graceS,
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          securityContext: {
            // The kernel gives SYS_NICE to no other user of a container than root, who has no other right here.
            ...podSecurity(realtime ? 0 : UID),
            // For a target, one worker has as many connections as ports of its own: 64,000, and not 28,000.
            sysctls: [{ name: 'net.ipv4.ip_local_port_range', value: '1024 65535' }],
          },
          ...(Object.keys(nodeSelector).length > 0 && { nodeSelector }),
          affinity: {
            podAntiAffinity: {
              // Two workers of a node would measure each other.
              requiredDuringSchedulingIgnoredDuringExecution: [nodeOf(settings, 'worker')],
              preferredDuringSchedulingIgnoredDuringExecution: [
                { weight: 100, podAffinityTerm: nodeOf(settings, 'nats') },
              ],
            },
          },
          ...('image' in settings.nats && { initContainers: [untilBroker(settings, settings.nats.image)] }),
          containers: [
            {
              name: 'worker',
              image,
              args: ['fleet', 'worker', '--name', `${name}-$(JOB_COMPLETION_INDEX)`, '--labels', 'node=$(NODE_NAME)'],
              env: [
                { name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
                ...credentials(settings),
                { name: 'KT_NATS', value: address(settings) },
              ],
              resources: resources(settings),
              securityContext: containerSecurity(realtime ? ['SYS_NICE'] : []),
              volumeMounts: [{ name: 'tmp', mountPath: '/tmp' }],
            },
          ],
          volumes: [{ name: 'tmp', emptyDir: {} }],
        },
      },
    },
  })
}

/**
 * Memory as a limit too, so that nobody else's need of memory ends a worker. A limit of CPU is a quota of each 100 ms:
 * a worker whose collector of garbage takes some cores for a moment has used it up, and sends and sees nothing until
 * the next 100 ms begin, which reads as latency of the target. With CPUs of its own it cannot use more than they are,
 * and the limit is what the kubelet asks for to give them.
 */
function resources({ millicores, memoryMib, exclusiveCpus }: FleetSettings) {
  const memory = `${memoryMib}Mi`
  const cpu = millicores % 1_000 === 0 ? String(millicores / 1_000) : `${millicores}m`
  return { requests: { cpu, memory }, limits: { memory, ...(exclusiveCpus && { cpu }) } }
}

/** A worker that finds no broker ends, and does not come back: it starts when there is one. */
function untilBroker({ name }: FleetSettings, image: string) {
  const script = `until nc -z ${name}-nats ${NATS_PORT}; do sleep 1; done`
  return {
    name: 'broker',
    image,
    command: ['sh', '-c', script],
    resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '16Mi' } },
    securityContext: containerSecurity(),
  }
}

/** The worker and the server read them under these names. */
function credentials({ secret }: FleetSettings) {
  if (secret === undefined) return []
  return CREDENTIALS.map((key) => ({ name: key, valueFrom: { secretKeyRef: { name: secret, key } } }))
}

function address({ name, nats }: FleetSettings): string {
  return 'url' in nats ? nats.url : `nats://${name}-nats:${NATS_PORT}`
}

function broker(settings: FleetSettings, image: string): Record<string, Manifest> {
  const metadata = { ...metadataOf(settings, 'nats'), name: `${settings.name}-nats` }
  const { name } = metadata
  return {
    'nats-configmap.yaml': new ConfigMap({ metadata, data: { 'nats.conf': NATS_CONF } }),
    'nats-deployment.yaml': new Deployment({
      metadata,
      spec: {
        replicas: 1,
        // Two of them would be two brokers.
        strategy: { type: 'Recreate' },
        selector: { matchLabels: labels(settings, 'nats') },
        template: {
          metadata: { labels: labels(settings, 'nats') },
          spec: {
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            securityContext: { ...podSecurity(UID), fsGroup: UID },
            containers: [
              {
                name: 'nats',
                image,
                args: ['--config', '/etc/nats/nats.conf'],
                ports: [
                  { name: 'nats', containerPort: NATS_PORT },
                  { name: 'monitor', containerPort: MONITOR_PORT },
                ],
                env: [
                  ...credentials(settings),
                  // The runtime of Go collects before the limit of the container ends it.
                  { name: 'GOMEMLIMIT', value: `${Math.floor(NATS_MIB * 0.9)}MiB` },
                ],
                resources: {
                  requests: { cpu: '1', memory: `${NATS_MIB}Mi` },
                  limits: { memory: `${NATS_MIB}Mi` },
                },
                readinessProbe: { httpGet: { path: '/healthz', port: 'monitor' }, periodSeconds: 2 },
                securityContext: containerSecurity(),
                volumeMounts: [
                  { name: 'config', mountPath: '/etc/nats', readOnly: true },
                  { name: 'data', mountPath: '/data' },
                ],
              },
            ],
            volumes: [
              { name: 'config', configMap: { name } },
              // What is there outlives the container, and not the pod.
              { name: 'data', emptyDir: { sizeLimit: `${STORE_MIB * 1.25}Mi` } },
            ],
          },
        },
      },
    }),
    'nats-service.yaml': new Service({
      metadata,
      spec: { selector: labels(settings, 'nats'), ports: [{ name: 'nats', port: NATS_PORT, targetPort: 'nats' }] },
    }),
    'networkpolicy-nats.yaml': new NetworkPolicy({
      metadata,
      spec: {
        podSelector: { matchLabels: labels(settings, 'nats') },
        policyTypes: ['Ingress', 'Egress'],
        // From all pods of the fleet: its workers, and a coordinator with this label. A port that kubectl forwards
        // comes from within the pod, and is under no policy.
        ingress: [
          {
            from: [{ podSelector: { matchLabels: { 'app.kubernetes.io/part-of': settings.name } } }],
            ports: [{ protocol: 'TCP', port: NATS_PORT }],
          },
        ],
        egress: [],
      },
    }),
  }
}

/** The credentials are variables of the server's environment. */
const NATS_CONF = `port: ${NATS_PORT}
http: ${MONITOR_PORT}
authorization { user: $NATS_USER, password: $NATS_PASSWORD }
jetstream { store_dir: /data, max_memory_store: ${NATS_MIB / 4}MB, max_file_store: ${STORE_MIB}MB }
`

/** Workers ask for names, talk to the broker and send to the targets. Nobody connects to a worker. */
function workersPolicy(settings: FleetSettings): NetworkPolicy {
  const { nats, to } = settings
  const tcp = (port: number) => [{ protocol: 'TCP' as const, port }]
  return new NetworkPolicy({
    metadata: metadataOf(settings, 'worker'),
    spec: {
      podSelector: { matchLabels: labels(settings, 'worker') },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [],
      egress: [
        // To anywhere: the DNS of a node is under an address of no pod.
        { ports: [{ protocol: 'UDP', port: 53 }, ...tcp(53)] },
        'url' in nats
          ? { ports: portsOf(nats.url).flatMap(tcp) }
          : { to: [{ podSelector: { matchLabels: labels(settings, 'nats') } }], ports: tcp(NATS_PORT) },
        ...(to.length > 0
          ? to.map((each) => ({ to: [{ ipBlock: { cidr: each.cidr } }], ports: tcp(each.port) }))
          : [{ ports: [{ protocol: 'TCP' as const, port: 1, endPort: 65_535 }] }]),
      ],
    },
  })
}

/** Of all servers of a cluster, which stand in its address with commas between them. */
function portsOf(address: string): number[] {
  return [...new Set(address.split(',').map((one) => Number(URL.parse(one.trim())?.port || NATS_PORT)))]
}

function nodeOf(settings: FleetSettings, component: Component) {
  const matchLabels = labels(settings, component)
  return { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels } }
}

type Component = 'worker' | 'nats'

function metadataOf(settings: FleetSettings, component: Component) {
  return { name: settings.name, namespace: settings.namespace, labels: labels(settings, component) }
}

function labels({ name }: FleetSettings, component: Component): Record<string, string> {
  return { 'app.kubernetes.io/part-of': name, 'app.kubernetes.io/component': component }
}
