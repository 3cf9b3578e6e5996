/**
 * The worker thread in which large bodies are parsed and large texts are searched, so that no other request waits for
 * it. It compiles the policies from their settings. A body comes as the memory it lies in, and is parsed here once for
 * all policies that ask about it.
 */
import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { textsIn } from '../../../src/wire/strings.ts'
import type { GatewayResult } from '../../http/gateway-error.ts'
import { type ParsedBody, parseBody } from '../../http/request-body.ts'
import type { BodyFacts, GatewayEndpoint } from '../../http/request-context.ts'
import { READY } from '../../http/thread-pool.ts'
import { compilePolicy, type PolicySettings } from '../kinds/kinds.ts'
import type { TextFinding } from '../policy/edits.ts'

/** A request's body in shared memory. */
export interface SharedBody {
  id: number
  bytes: SharedArrayBuffer
  endpoint: GatewayEndpoint
}

export type SearchTask =
  | { kind: 'parse'; body: SharedBody }
  | { kind: 'search'; policy: string; body: SharedBody }
  | { kind: 'search'; policy: string; texts: readonly string[] }

export type SearchTaskResult =
  | { kind: 'parsed'; facts: GatewayResult<BodyFacts> }
  | { kind: 'searched'; findings: TextFinding[][] }
  | { kind: 'failed'; why: string }

interface OpenBody {
  parsed: GatewayResult<ParsedBody>
  texts: readonly string[]
}

/** Bodies that are kept until all policies have asked about them: as many as may take turns with each other. */
const MAX_OPEN = 4

// Where cores are short, large texts wait and requests do not. On Linux a priority belongs to the calling thread;
// elsewhere it would apply to the whole gateway.
if (process.platform === 'linux') setPriority(0, 5)

const settings = workerData as PolicySettings[]
const policies = new Map(settings.map((one) => [one.name, compilePolicy(one)]))
const openBodies = new Map<number, OpenBody>()

function open({ id, bytes, endpoint }: SharedBody): OpenBody {
  const known = openBodies.get(id)
  if (known) return known
  const parsed = parseBody(Buffer.from(bytes), endpoint)
  const texts = parsed.ok ? textsIn(Buffer.from(bytes).toString()).places.map(({ text }) => text) : []
  const body = { parsed, texts }
  openBodies.set(id, body)
  const [oldest = id] = openBodies.keys()
  if (openBodies.size > MAX_OPEN) openBodies.delete(oldest)
  return body
}

/** The caller ends this thread when the task's time is over. */
function run(task: SearchTask): SearchTaskResult {
  if (task.kind === 'parse') {
    const { parsed } = open(task.body)
    return { kind: 'parsed', facts: parsed.ok ? { ok: true, value: parsed.value.facts } : parsed }
  }
  const whole = policies.get(task.policy)?.whole
  const findings =
    whole?.how === 'search' ? whole.search('body' in task ? open(task.body).texts : task.texts) : undefined
  return findings ? { kind: 'searched', findings } : { kind: 'failed', why: `no search ${task.policy}` }
}

parentPort?.on('message', (task: SearchTask) => parentPort?.postMessage(run(task)))
parentPort?.postMessage(READY)
