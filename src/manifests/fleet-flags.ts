/**
 * The flags of `kt fleet manifests`. They stand apart from what builds the objects, whose schemas take long to load.
 */
import { isIPv4, isIPv6 } from 'node:net'
import { z } from 'zod'
import { failure, type Result, success } from '../errors.ts'
import { brokerAddress } from '../load/fleet/flags.ts'
import { type FlagValues, flagGroup } from '../parse/flags.ts'
import { parseFlags, type Rule, rulesOf } from '../parse/parse-flags.ts'
import { bytesWithUnit, durationMs, parsedBy, positiveCount, positiveNumber } from '../parse/quantity.ts'
import { ktVersion } from '../system/machine.ts'
import { kubernetesName } from './manifests.ts'

const { text, toggle } = flagGroup('FLEET')
const broker = flagGroup('BROKER')
const pods = flagGroup('PODS')

/** Where workers may send to. */
interface Destination {
  cidr: string
  port: number
}

const destination = parsedBy(parseDestination, "an address range with a port such as '10.1.0.0/16:8080'")

function parseDestination(given: string): Result<Destination> {
  const [, address = '', bits = '', portText = ''] = /^\[?([\da-f.:]+?)(?:\/(\d+))?\]?:(\d+)$/i.exec(given) ?? []
  const most = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1
  const length = bits === '' ? most : Number(bits)
  const port = Number(portText)
  if (most > 0 && length <= most && port > 0 && port < 65_536) return success({ cidr: `${address}/${length}`, port })
  const next = "Write for example 10.1.0.0/16:8080, 10.1.2.3:443 or [fd00::/8]:443; a policy knows no host's name."
  return failure(`'${given}' is no address range with a port`, next)
}

const label = parsedBy((given): Result<readonly [string, string]> => {
  const [, key, value = ''] = /^([\w./-]+)=([\w.-]*)$/.exec(given) ?? []
  return key === undefined ? failure(`'${given}' is no label`, 'Write for example pool=load.') : success([key, value])
})

export const fleetManifestFlags = {
  workers: text(positiveCount, 'workers, each a pod on a node of its own', { example: '20' }),
  out: text(z.string().optional(), 'folder for a file an object [default: all of them on stdout]', {
    helpValue: 'deploy',
  }),
  name: text(kubernetesName, 'name of the fleet', { default: 'kt-fleet' }),
  namespace: text(kubernetesName, 'namespace of it', { default: 'kt-fleet' }),
  json: toggle('print the objects as one List in JSON, which kubectl reads too'),
  nats: broker.text(brokerAddress.optional(), 'address of a NATS server with JetStream [default: one is deployed]', {
    helpValue: 'nats://host:4222',
  }),
  'nats-image': broker.text(z.string().min(1).optional(), 'image of the one that is deployed', {
    helpValue: 'nats:2.14.9-alpine',
  }),
  secret: broker.text(
    kubernetesName.optional(),
    'Secret with NATS_USER and NATS_PASSWORD [default: --name; with --nats none]',
    { helpValue: 'name' },
  ),
  image: pods.text(z.string().min(1), 'image of the workers', { default: `kt-bench:${ktVersion}` }),
  cpu: pods.text(positiveNumber, 'CPUs of a worker', { default: '2' }),
  memory: pods.text(bytesWithUnit, 'memory of a worker', { default: '2GB' }),
  'exclusive-cpus': pods.toggle(
    'CPUs as limits too: for nodes whose kubelet gives whole CPUs away (static CPU manager)',
  ),
  realtime: pods.toggle('workers may use real-time scheduling: SYS_NICE, as root of the container'),
  grace: pods.text(durationMs, 'time from a stop of a pod to its end, for requests in flight', { default: '60s' }),
  deadline: pods.text(durationMs, 'time after which the fleet ends by itself', { default: '8h' }),
  to: pods.texts(
    z.array(destination).optional(),
    'where workers may send: an address range and a port; repeatable [default: anywhere]',
    { helpValue: '10.1.0.0/16:8080' },
  ),
  'node-selector': pods.texts(z.array(label).optional(), 'label that nodes of workers have; repeatable', {
    helpValue: 'pool=load',
  }),
}

type Given = FlagValues<typeof fleetManifestFlags>

const rule = rulesOf<Given>()

const RULES: readonly Rule<Given>[] = [
  rule(
    ['exclusive-cpus', 'cpu'],
    ({ cpu, 'exclusive-cpus': exclusive }) =>
      exclusive && !Number.isInteger(cpu) && failure(`--exclusive-cpus wants whole CPUs, not ${cpu}`, 'Give --cpu 2.'),
  ),
  rule(
    ['nats', 'nats-image'],
    ({ nats, 'nats-image': image }) =>
      nats !== undefined &&
      image !== undefined &&
      failure('--nats-image has no effect with --nats, where none is deployed', 'Leave one of them out.'),
  ),
]

/** What the objects are made of. */
export interface FleetSettings {
  name: string
  namespace: string
  workers: number
  image: string
  millicores: number
  memoryMib: number
  exclusiveCpus: boolean
  realtime: boolean
  graceS: number
  deadlineS: number
  /** The address of a broker, or the image of the one that is deployed. */
  nats: { url: string } | { image: string }
  secret: string | undefined
  to: readonly Destination[]
  nodeSelector: Readonly<Record<string, string>>
}

const NATS_IMAGE = 'nats:2.14.9-alpine'

export function parseFleetFlags(flags: Readonly<Record<string, unknown>>, command: string) {
  const given = parseFlags(flags, fleetManifestFlags, command, RULES)
  const { nats, name } = given
  const settings: FleetSettings = {
    ...{ name, namespace: given.namespace, workers: given.workers, image: given.image },
    millicores: Math.ceil(given.cpu * 1_000),
    memoryMib: Math.ceil(given.memory / 1024 ** 2),
    exclusiveCpus: given['exclusive-cpus'],
    realtime: given.realtime,
    graceS: Math.ceil(given.grace / 1_000),
    deadlineS: Math.ceil(given.deadline / 1_000),
    nats: nats === undefined ? { image: given['nats-image'] ?? NATS_IMAGE } : { url: nats },
    secret: given.secret ?? (nats === undefined ? name : undefined),
    to: given.to ?? [],
    nodeSelector: Object.fromEntries(given['node-selector'] ?? []),
  }
  return { settings, out: given.out, json: given.json }
}
