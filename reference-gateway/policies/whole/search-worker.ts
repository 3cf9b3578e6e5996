/**
 * The thread in which large bodies are read and large texts are searched, so that nobody else waits for it. Made of the
 * policies' settings. A body comes as the memory it lies in, and is read here once for all that is asked about it.
 */
import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import type { GatewayError } from '../../http/gateway-error.ts'
import { type ParsedBody, parseBody } from '../../http/request-body.ts'
import type { ApiEndpoint, BodyFacts } from '../../http/request-context.ts'
import { compilePolicy } from '../kinds/compile.ts'
import type { PolicySettings } from '../kinds/config-file.ts'
import type { TextFinding } from '../kinds/edits.ts'
import { searchTexts, textsIn, textsOfRequest } from './json-texts.ts'

/** A request's body in shared memory. */
export interface SharedBody {
  id: number
  bytes: SharedArrayBuffer
  endpoint: ApiEndpoint
}

export type SearchTask =
  | { body: SharedBody }
  | { policy: string; body: SharedBody }
  | { policy: string; texts: readonly string[] }

export type SearchResult =
  | { ready: true }
  | { facts: BodyFacts }
  | { refused: GatewayError }
  | { findings: TextFinding[][] }
  | { error: string }

interface Opened {
  read: ParsedBody | GatewayError
  texts: readonly string[]
}

/** Bodies that are kept until all was asked about them: as many as take turns with each other. */
const MOST_OPEN = 4

// Where cores are short, large texts wait and requests do not. On Linux a priority is the calling thread's own; elsewhere it
// would be the whole gateway's.
if (process.platform === 'linux') setPriority(0, 5)

const settings = workerData as PolicySettings[]
const policies = new Map(settings.filter(({ kind }) => kind !== 'webhook').map((one) => [one.name, compilePolicy(one)]))
const opened = new Map<number, Opened>()

function open({ id, bytes, endpoint }: SharedBody): Opened {
  const known = opened.get(id)
  if (known) return known
  const read = parseBody(Buffer.from(bytes), endpoint)
  const made = { read, texts: 'code' in read ? [] : textsIn(textsOfRequest(read.json)) }
  opened.set(id, made)
  const [oldest = id] = opened.keys()
  if (opened.size > MOST_OPEN) opened.delete(oldest)
  return made
}

/** Whoever asked ends this thread when its time is over. */
function answer(task: SearchTask): SearchResult {
  if (!('policy' in task)) {
    const { read } = open(task.body)
    return 'code' in read ? { refused: read } : { facts: read.facts }
  }
  const policy = policies.get(task.policy)
  const findings = policy && searchTexts(policy, 'body' in task ? open(task.body).texts : task.texts)
  return findings ? { findings } : { error: `no policy ${task.policy}` }
}

parentPort?.on('message', (task: SearchTask) => parentPort?.postMessage(answer(task)))
parentPort?.postMessage({ ready: true } satisfies SearchResult)
