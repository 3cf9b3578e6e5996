// The objects of a fleet: golden files, what a measuring pod needs, and who may talk to whom. The published schemas are
// held by test/planning/published-schemas.test.ts.
import { readdirSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { fleetManifests, fleetSummary } from '../../src/manifests/fleet.ts'
import { parseFleetFlags } from '../../src/manifests/fleet-flags.ts'
import { manifestFiles } from '../../src/manifests/manifests.ts'
import { messageOf } from '../support/refusal.ts'
import { run } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

type Typed = Record<string, string | string[] | boolean>

const IMAGE = { image: 'registry.example/kt-bench:1.2.3' }
const EXTERNAL = { nats: 'tls://nats.messaging:5222' }

function filesOf(flags: Typed): Record<string, string> {
  const { settings } = parseFleetFlags({ workers: '20', ...IMAGE, ...flags }, 'kt fleet manifests')
  return manifestFiles(`kt fleet: ${fleetSummary(settings)}`, fleetManifests(settings))
}

const objectOf = (file: string, flags: Typed = {}) => parse(filesOf(flags)[file] ?? '')
const podOf = (flags: Typed = {}) => objectOf('job.yaml', flags).spec.template.spec
const workerOf = (flags: Typed = {}) => podOf(flags).containers[0]

test.each<[string, Typed]>([
  ['fleet', { cpu: '2', to: ['10.1.0.0/16:8080'] }],
  ['fleet-realtime', { realtime: true, 'exclusive-cpus': true, cpu: '4', ...EXTERNAL, 'node-selector': ['pool=load'] }],
])('%s: golden', async (folder, flags) => {
  expect(filesOf(flags)).toEqual(filesOf(flags))
  for (const [file, text] of Object.entries(filesOf(flags)))
    await expect(text).toMatchFileSnapshot(`../../fixtures/manifests/${folder}/${file}`)
})

describe('the workers', () => {
  test('are the pods of an Indexed Job, one a node, each with its index in its name, and none comes back', () => {
    const { spec } = objectOf('job.yaml', { cpu: '2' })
    expect(spec).toMatchObject({ completionMode: 'Indexed', completions: 20, parallelism: 20, backoffLimitPerIndex: 0 })
    expect(spec).not.toHaveProperty('backoffLimit')
    const pod = spec.template.spec
    expect(pod.restartPolicy).toBe('Never')
    expect(pod.containers[0].args).toEqual(expect.arrayContaining(['--name', 'kt-fleet-$(JOB_COMPLETION_INDEX)']))
    const [affinity] = pod.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution
    expect(affinity.topologyKey).toBe('kubernetes.io/hostname')
    expect(spec.template.metadata.labels).toMatchObject(affinity.labelSelector.matchLabels)
  })

  test('have their memory as a limit, and CPU without a quota unless it is theirs alone', () => {
    const of = (flags: Typed) => workerOf({ memory: '3GB', ...flags }).resources
    expect(of({ cpu: '2' })).toEqual({ requests: { cpu: '2', memory: '3072Mi' }, limits: { memory: '3072Mi' } })
    expect(of({ cpu: '1.5' }).requests.cpu).toBe('1500m')
    const exclusive = of({ cpu: '2', 'exclusive-cpus': true })
    expect(exclusive.limits).toEqual(exclusive.requests)
  })

  test('have no rights, and SYS_NICE alone where it is asked for, as the user who gets it', () => {
    expect(podOf().securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 })
    expect(workerOf().securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    const realtime = { realtime: true }
    expect(workerOf(realtime).securityContext.capabilities).toEqual({ drop: ['ALL'], add: ['SYS_NICE'] })
    expect(podOf(realtime).securityContext).toMatchObject({ runAsNonRoot: false, runAsUser: 0 })
    const enforced = (flags: Typed) => Object.values(objectOf('00-namespace.yaml', flags).metadata.labels)
    expect([enforced({}), enforced(realtime)]).toEqual([['restricted'], ['privileged']])
  })

  test('wait for the broker that is deployed, and know its address and the credentials of the Secret', () => {
    const { initContainers, containers } = podOf()
    expect(initContainers[0].command).toContain('until nc -z kt-fleet-nats 4222; do sleep 1; done')
    expect(containers[0].env.slice(-3)).toEqual([
      ...['NATS_USER', 'NATS_PASSWORD'].map((key) => ({
        name: key,
        valueFrom: { secretKeyRef: { name: 'kt-fleet', key } },
      })),
      { name: 'KT_NATS', value: 'nats://kt-fleet-nats:4222' },
    ])
  })

  test('use the broker that is given, with a Secret only where one is named', () => {
    expect(Object.keys(filesOf(EXTERNAL)).filter((file) => file.includes('nats'))).toEqual([])
    expect(podOf(EXTERNAL)).not.toHaveProperty('initContainers')
    const variables = (flags: Typed) => workerOf({ ...EXTERNAL, ...flags }).env.slice(1)
    expect(variables({})).toEqual([{ name: 'KT_NATS', value: EXTERNAL.nats }])
    const [, password] = variables({ secret: 'mine' })
    expect(password.valueFrom.secretKeyRef).toEqual({ name: 'mine', key: 'NATS_PASSWORD' })
  })
})

describe('who may talk to whom', () => {
  test('nobody to a worker; a worker to DNS, the broker and the targets', () => {
    const { spec } = objectOf('networkpolicy-workers.yaml', { to: ['10.1.2.3:443', '[fd00::/8]:8080'] })
    expect(spec).toMatchObject({ policyTypes: ['Ingress', 'Egress'], ingress: [] })
    const [dns, broker, ...targets] = spec.egress
    expect(dns.ports.map(({ port }: { port: number }) => port)).toEqual([53, 53])
    expect(broker.to[0].podSelector.matchLabels).toEqual(objectOf('nats-deployment.yaml').spec.selector.matchLabels)
    expect(targets).toEqual([
      { to: [{ ipBlock: { cidr: '10.1.2.3/32' } }], ports: [{ protocol: 'TCP', port: 443 }] },
      { to: [{ ipBlock: { cidr: 'fd00::/8' } }], ports: [{ protocol: 'TCP', port: 8080 }] },
    ])
    const external = objectOf('networkpolicy-workers.yaml', EXTERNAL).spec.egress
    expect(external[1]).toEqual({ ports: [{ protocol: 'TCP', port: 5222 }] })
    const [, cluster] = objectOf('networkpolicy-workers.yaml', { nats: 'nats://a,nats://b:4223,nats://c' }).spec.egress
    expect(cluster.ports.map(({ port }: { port: number }) => port)).toEqual([4222, 4223])
  })

  test('the fleet to its broker, and the broker to nobody', () => {
    const { spec } = objectOf('networkpolicy-nats.yaml')
    expect(spec.egress).toEqual([])
    const from = spec.ingress[0].from[0].podSelector.matchLabels
    expect(objectOf('job.yaml').spec.template.metadata.labels).toMatchObject(from)
  })
})

test('everything stands in the namespace', () => {
  for (const [file, text] of Object.entries(filesOf({ namespace: 'load' }))) {
    const { metadata } = parse(text)
    expect(file === '00-namespace.yaml' ? metadata.name : metadata.namespace, file).toBe('load')
  }
})

test.each<[Typed, string]>([
  [{ workers: '0' }, '--workers: must be a whole number of at least 1, not 0'],
  [{ cpu: '1.5', 'exclusive-cpus': true }, '--exclusive-cpus wants whole CPUs, not 1.5'],
  [{ memory: '2' }, "'2' is not a size with its unit"],
  [{ nats: 'http://nats:4222' }, 'is no address such as nats://10.0.0.1:4222'],
  [{ nats: 'nats://me:secret@nats:4222' }, 'nats://…@nats:4222'],
  [{ nats: 'nats://nats:4222', 'nats-image': 'nats:2' }, '--nats-image has no effect with --nats'],
  [{ to: ['gateway:8080'] }, "a policy knows no host's name"],
  [{ to: ['10.1.0.0/33:8080'] }, "'10.1.0.0/33:8080' is no address range with a port"],
  [{ 'node-selector': ['pool'] }, "'pool' is no label"],
  [{ name: 'Fleet' }, "'Fleet' is not a name of Kubernetes"],
])('%j is refused', (flags, message) => {
  expect(messageOf(() => parseFleetFlags({ workers: '20', ...flags }, 'kt fleet manifests'))).toContain(message)
})

test('the number of workers is asked for', () => {
  expect(messageOf(() => parseFleetFlags({}, 'kt fleet manifests'))).toContain('Write for example --workers 20.')
})

describe('as a command', () => {
  const dir = tempDir()
  afterAll(() => dir.remove())

  test('it prints all objects as kubectl reads them, in YAML or JSON, and on stderr what is left to do', async () => {
    const args = ['fleet', 'manifests', '--workers', '3']
    const { code, stdout, stderr } = await run(args)
    expect(code).toBe(0)
    const objects = parseAllDocuments(stdout).map((document) => document.toJS())
    expect(objects.map(({ kind }) => kind)).toEqual([
      ...['Namespace', 'ConfigMap', 'Deployment', 'Service', 'NetworkPolicy', 'Job', 'NetworkPolicy'],
    ])
    expect(stderr).toContain('kubectl create secret generic kt-fleet -n kt-fleet')
    const { stdout: json } = await run([...args, '--json', '--quiet'])
    expect(JSON.parse(json)).toEqual({ apiVersion: 'v1', kind: 'List', items: objects })
  })

  test('it writes a file an object', async () => {
    const out = dir.file('deploy')
    const { code, stdout } = await run(['fleet', 'manifests', '--workers', '3', '--out', out])
    expect([code, stdout.trim()]).toEqual([
      0,
      '3 workers of 2 CPUs, 2 GiB on 3 nodes, NATS of its own (nats:2.14.9-alpine)',
    ])
    expect(readdirSync(out)).toHaveLength(7)
  })
})
