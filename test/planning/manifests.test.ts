// Manifests: the same plan writes the same bytes (golden files), each object holds its published schema, the reference
// gateway reads its own ConfigMap, and the numbers are the plan's.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Deployment } from 'kubernetes-models/apps/v1/Deployment'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { gatewayConfigSchema } from '../../reference-gateway/config/config.ts'
import { startGateway } from '../../reference-gateway/gateway.ts'
import { UserError } from '../../src/errors.ts'
import { makePlan } from '../../src/plan/plan.ts'
import { manifests } from '../../src/planning/emit.ts'
import type { EmitTarget } from '../../src/planning/emit-flags.ts'
import { parsePlanFlags } from '../../src/planning/plan-options.ts'
import { planRequest } from '../../src/planning/plan-request.ts'
import { clusterSettings } from '../../src/planning/settings.ts'
import { planOptions, type Typed } from '../support/plan.ts'
import { run } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

const OPTIONS = {
  name: 'kt-gateway',
  namespace: 'ai-gateway',
  image: 'registry.example/kt-bench:1.2.3',
  providerUrl: 'https://api.openai.com/v1',
  prometheusUrl: 'http://prometheus.monitoring',
}

async function settingsFor(flags: Typed) {
  const { demand, sizing, choices } = await planRequest(planOptions(flags))
  const plan = { schema: 'kt.plan/1' as const, kt: { version: '0' }, ...makePlan(demand, sizing, choices) }
  return clusterSettings(plan, 'the answer', demand, sizing, choices, OPTIONS)
}

const PEAKS = { 'input-peak': '80M', 'output-peak': '10M', window: '1s' }
const TARGETS: EmitTarget[] = ['kubernetes', 'keda', 'helm-values', 'kong', 'terraform']

test.each(TARGETS)('%s: golden', async (target) => {
  const settings = await settingsFor(PEAKS)
  const files = await manifests(target, settings)
  expect(await manifests(target, settings)).toEqual(files)
  for (const [file, text] of Object.entries(files)) {
    await expect(text).toMatchFileSnapshot(`../../fixtures/manifests/${target}/${file}`)
  }
})

describe('the numbers are the plan’s', () => {
  test('replicas in whole zones, a floor and a ceiling, memory of a worker, the budget of a zone', async () => {
    const settings = await settingsFor(PEAKS)
    // 73 workers of events / 0.7 = 105, one more 106, 53 in each of 3 zones. Of its CPU 30 / 104.3 x 2 / 3.
    expect(settings).toMatchObject({
      replicas: 159,
      minReplicas: 42,
      maxReplicas: 292,
      maxUnavailable: '33%',
      maxSurge: '25%',
      targetPercent: 19,
    })
    // With a zone lost: (106 x 500 MiB + 247k x (64 KiB + 7.6 kB)) / 106, in steps of 64 MiB
    expect(settings.memory).toEqual({ requestMib: 704, limitMib: 1_408 })
  })

  test('the grace period holds the P99.9 stream: TTFT + 2,072 tokens at 50/s, after the preStop', async () => {
    const { longestStreamS, gracePeriodS, preStopS } = await settingsFor(PEAKS)
    expect(longestStreamS).toBe(Math.ceil(1 + (211 * Math.exp(3.09 * 0.859 - 0.859 ** 2 / 2)) / 50))
    expect(gracePeriodS).toBeGreaterThan(preStopS + longestStreamS)
  })

  // Performance engineering the AI gateway, Kubernetes resource limits.
  test("half a worker gets the guide's example: 500m and 256Mi, at most 2000m and 512Mi", async () => {
    const small = await settingsFor({ rps: '50', workload: 'chat' })
    expect(small).toMatchObject({
      cpu: { requestMillicores: 500, limitMillicores: 2_000 },
      memory: { requestMib: 256, limitMib: 512 },
    })
    expect(small.replicas).toBeGreaterThanOrEqual(3)
  })

  test('the node group lies between the plan’s nodes, and has a node a zone', async () => {
    const aws = JSON.parse((await manifests('terraform', await settingsFor(PEAKS)))['main.tf.json'] ?? '')
    expect(aws.resource.aws_eks_node_group['kt-gateway'].scaling_config).toEqual({
      min_size: 15,
      desired_size: 15,
      max_size: 30,
    })
    const gcp = JSON.parse(
      (await manifests('terraform', await settingsFor({ rps: '50', workload: 'chat', node: 'c3-standard-8' })))[
        'main.tf.json'
      ] ?? '',
    )
    expect(gcp.resource.google_container_node_pool['kt-gateway'].autoscaling.total_min_node_count).toBe(3)
    const azure = JSON.parse(
      (await manifests('terraform', await settingsFor({ ...PEAKS, node: 'Standard_F8s_v2' })))['main.tf.json'] ?? '',
    )
    expect(azure.resource.azurerm_kubernetes_cluster_node_pool['kt-gateway'].vm_size).toBe('Standard_F8s_v2')
  })
})

test.each(['h1', 'h2'] as const)(
  'the reference gateway starts from its ConfigMap, and drains as long (%s)',
  async (upstream) => {
    const settings = await settingsFor({ ...PEAKS, upstream })
    const files = await manifests('kubernetes', { ...settings, providerUrl: 'http://127.0.0.1:9/v1' })
    const written: string = parse(files['configmap.yaml'] ?? '').data['gateway.yaml']
    const config = gatewayConfigSchema({ OPENAI_API_KEY: 'sk-test', GATEWAY_API_KEY: 'gk-test' }).parse(parse(written))
    expect(config.limits).toMatchObject({ drainTimeoutMs: settings.longestStreamS * 1_000 })
    expect(settings.gracePeriodS).toBeGreaterThan(settings.preStopS + settings.longestStreamS)
    const gateway = await startGateway({ ...config, host: '127.0.0.1', port: 0 })
    try {
      expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200)
    } finally {
      await gateway.close()
    }
  },
)

const hasTerraform = spawnSync('terraform', ['version']).status === 0

// Its providers cannot be had everywhere, and without them it reads a file and validates no resource.
test.skipIf(!hasTerraform)('Terraform reads what is emitted for each cloud', async () => {
  const dir = tempDir()
  for (const [node, provider] of [
    ['c5.4xlarge', 'hashicorp/aws'],
    ['c3-standard-8', 'hashicorp/google'],
    ['Standard_F8s_v2', 'hashicorp/azurerm'],
  ] as const) {
    const settings = await settingsFor({ ...PEAKS, node })
    const folder = join(dir.path, node)
    mkdirSync(folder)
    for (const [file, text] of Object.entries(await manifests('terraform', settings)))
      writeFileSync(join(folder, file), text)
    const { status, stdout } = spawnSync('terraform', ['providers'], { cwd: folder, encoding: 'utf8' })
    expect([status, stdout.includes(provider)], node).toEqual([0, true])
    const spot = (await manifests('terraform', { ...settings, node: { ...settings.node, purchase: 'spot' } }))[
      'main.tf.json'
    ]
    expect(spot?.toLowerCase(), node).toContain('spot')
  }
  dir.remove()
})

test('an object that breaks the published schema is not written', () => {
  const wrong = { replicas: 'many', selector: { matchLabels: {} }, template: {} } as unknown as {
    selector: object
    template: object
  }
  expect(() => new Deployment({ metadata: { name: 'x' }, spec: wrong }).validate()).toThrow('replicas must be integer')
})

test.each([
  [{ emit: ['kong'] }, '--emit needs --out'],
  [{ out: 'x' }, '--out has no effect without --emit'],
  [{ emit: ['kong'], out: 'x', name: 'Kong!' }, "'Kong!' is not a name of Kubernetes"],
  [{ emit: ['kong'], out: 'x', 'provider-url': 'https://me:key@host/v1' }, 'is not an http(s) URL without credentials'],
])('%j is refused', (flags, message) => {
  expect(() => parsePlanFlags({ ...PEAKS, ...flags }, 'kt plan')).toThrow(UserError)
  expect(() => parsePlanFlags({ ...PEAKS, ...flags }, 'kt plan')).toThrow(message)
})

describe('what an SRE would ask for', () => {
  const objects = async (target: EmitTarget) =>
    Object.entries(await manifests(target, await settingsFor(PEAKS))).map(
      ([file, text]) => [file, parse(text)] as const,
    )

  test.each(['kubernetes', 'keda'] as const)(
    '%s: everything stands in the namespace, which comes first',
    async (target) => {
      const [[first, namespace] = ['', undefined], ...others] = await objects(target)
      expect([first, namespace?.metadata.name]).toEqual(['00-namespace.yaml', 'ai-gateway'])
      for (const [, object] of others) expect(object.metadata.namespace).toBe('ai-gateway')
    },
  )

  test('nothing sets the replicas beside the autoscaler', async () => {
    const { spec } = new Map(await objects('kubernetes')).get('deployment.yaml')
    expect(spec.replicas).toBeUndefined()
    expect((await manifests('helm-values', await settingsFor(PEAKS)))['values.yaml']).not.toContain('replicaCount')
  })

  test('the pod is unprivileged, has its key or does not start, and zones stay even in a rollout', async () => {
    const pod = new Map(await objects('kubernetes')).get('deployment.yaml').spec.template.spec
    const [container] = pod.containers
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } })
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    expect(container.env[0].valueFrom.secretKeyRef.optional).toBeUndefined()
    expect(pod.topologySpreadConstraints[0]).toMatchObject({
      topologyKey: 'topology.kubernetes.io/zone',
      minDomains: 3,
      matchLabelKeys: ['pod-template-hash'],
    })
  })

  test("KEDA counts the pods' own bytes, in their namespace", async () => {
    const { triggers } = new Map(await objects('keda')).get('scaledobject.yaml').spec
    expect(triggers[1].metadata.query).toContain('{namespace="ai-gateway",pod=~"kt-gateway-')
    expect(triggers[1].metadata.query).toContain('interface="eth0"')
  })

  test.each<[string, Typed]>([
    ['a small one', { rps: '5', workload: 'chat' }],
    ['a large one', PEAKS],
    ['over HTTP/2', { ...PEAKS, 'upstream-http': 'h2' }],
  ])('the gateway of %s has connections for what it lets in', async (_, flags) => {
    const settings = await settingsFor(flags)
    const file = parse((await manifests('kubernetes', settings))['configmap.yaml'] ?? '').data['gateway.yaml']
    const { limits, connection_pool: pool } = parse(file).gateway
    expect(pool.max_idle_per_host).toBeLessThanOrEqual(pool.max_total)
    expect(pool.max_total * (settings.upstream === 'h2' ? 100 : 1)).toBeGreaterThanOrEqual(limits.max_in_flight)
  })

  test('kt doctor has no warning about the config of the gateway', async () => {
    const file = parse((await manifests('kubernetes', await settingsFor(PEAKS)))['configmap.yaml'] ?? '').data[
      'gateway.yaml'
    ]
    const dir = tempDir()
    const { code, stdout } = await run(['doctor', dir.write('gateway.yaml', file)], { OPENAI_API_KEY: 'sk-test' })
    dir.remove()
    expect(stdout).not.toMatch(/^(?:WARNING|CRITICAL)/m)
    expect(code).toBe(0)
  })

  test('Terraform names its provider, and leaves the wanted size to the autoscaler', async () => {
    const file = JSON.parse((await manifests('terraform', await settingsFor(PEAKS)))['main.tf.json'] ?? '')
    expect(file.terraform.required_providers.aws.source).toBe('hashicorp/aws')
    expect(file.resource.aws_eks_node_group['kt-gateway'].lifecycle.ignore_changes).toEqual([
      'scaling_config[0].desired_size',
    ])
  })
})

describe('as a command', () => {
  let dir: ReturnType<typeof tempDir>
  beforeAll(() => {
    dir = tempDir()
  })
  afterAll(() => dir.remove())

  test('it writes each target into its folder, says so, and prints the plan', async () => {
    const out = dir.file('deploy')
    const { code, stdout, stderr } = await run([
      'plan',
      '--input-peak',
      '80M',
      '--output-peak',
      '10M',
      '--emit',
      'kubernetes',
      '--emit',
      'kong',
      '--out',
      out,
    ])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^Deploy 399 pods of /)
    expect(stderr.trim().split('\n')).toHaveLength(7)
    expect(readFileSync(`${out}/kong/kong.conf`, 'utf8')).toContain('nginx_http_client_body_buffer_size = 512k')
    const header = readFileSync(`${out}/kubernetes/deployment.yaml`, 'utf8').split('\n')[0]
    expect(stdout.replaceAll('\n', ' ')).toContain(header?.replace('# kt plan: ', ''))
  })

  test('a folder that cannot be made is an error, not a stack', async () => {
    writeFileSync(dir.file('taken'), '')
    const { code, stderr } = await run([
      'plan',
      '--input-peak',
      '80M',
      '--output-peak',
      '10M',
      '--emit',
      'kong',
      '--out',
      dir.file('taken'),
    ])
    expect(code).toBe(2)
    expect(stderr).toContain(`cannot make the folder ${dir.file('taken')}/kong: a part of the path is not a folder`)
  })
})
