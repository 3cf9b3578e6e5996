/**
 * The worker thread in which large bodies are parsed and large texts are searched, so that no other request waits for
 * it. It compiles the policies from their settings. A body comes as the memory it lies in, and is parsed here once for
 * all policies that ask about it.
 */
import { setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { success } from '../../../src/errors.ts'
import { type JoinedText, textsIn, withTexts } from '../../../src/wire/strings.ts'
import type { GatewayResult } from '../../http/gateway-error.ts'
import { parseBody } from '../../http/request-body.ts'
import type { BodyFacts, GatewayEndpoint } from '../../http/request-context.ts'
import { READY } from '../../http/thread-pool.ts'
import { compilePolicy, type PolicySettings } from '../kinds/kinds.ts'
import { applyEdits, mergeFindings, type TextFinding } from '../policy/edits.ts'
import { readAnswer } from './answer.ts'

/** A request's body, or an answer, in shared memory. */
export interface SharedBody {
  id: number
  bytes: SharedArrayBuffer
  /** Of a request. */
  endpoint: GatewayEndpoint
  /** It is an answer, and how that is read. */
  answer?: 'json' | 'text'
}

export type SearchTask =
  | { kind: 'parse'; body: SharedBody }
  | { kind: 'search'; policy: string; body: SharedBody }
  | { kind: 'search'; policy: string; texts: readonly string[] }
  /** `findings` of several policies, by text. */
  | { kind: 'redact'; body: SharedBody; findings: readonly (readonly TextFinding[][])[] }

export type SearchTaskResult =
  | { kind: 'parsed'; facts: GatewayResult<BodyFacts | undefined> }
  | { kind: 'searched'; findings: TextFinding[][] }
  | { kind: 'redacted'; bytes: SharedArrayBuffer }
  | { kind: 'failed'; why: string }

interface OpenBody {
  /** Undefined for an answer, of which nobody asks for facts. */
  facts: GatewayResult<BodyFacts | undefined>
  places: readonly JoinedText[]
  texts: readonly string[]
  written(texts: readonly JoinedText[]): string
}

/** Bodies that are kept until all policies have asked about them: as many as may take turns with each other. */
const MAX_OPEN = 4

// Where cores are short, large texts wait and requests do not. On Linux a priority belongs to the calling thread;
// elsewhere it would apply to the whole gateway.
if (process.platform === 'linux') setPriority(0, 5)

const settings = workerData as PolicySettings[]
const policies = new Map(settings.map((one) => [one.name, compilePolicy(one)]))
const openBodies = new Map<number, OpenBody>()

function open(body: SharedBody): OpenBody {
  const known = openBodies.get(body.id)
  if (known) return known
  const { facts, all, written } = body.answer ? readShared(body, body.answer) : readRequest(body)
  const opened = { facts, places: all, texts: all.map(({ text }) => text), written }
  openBodies.set(body.id, opened)
  const [oldest = body.id] = openBodies.keys()
  if (openBodies.size > MAX_OPEN) openBodies.delete(oldest)
  return opened
}

interface ReadBody extends Pick<OpenBody, 'facts' | 'written'> {
  all: readonly JoinedText[]
}

function readRequest({ bytes, endpoint }: SharedBody): ReadBody {
  const body = Buffer.from(bytes)
  const parsed = parseBody(body, endpoint)
  if (!parsed.ok) return { facts: parsed, all: [], written: () => '' }
  const source = body.toString()
  const found = textsIn(source)
  return { facts: success(parsed.value.facts), all: found.places, written: (texts) => withTexts(source, found, texts) }
}

function readShared({ bytes }: SharedBody, kind: 'json' | 'text'): ReadBody {
  const read = readAnswer(Buffer.from(bytes), kind)
  return read.ok ? { facts: success(undefined), ...read.value } : { facts: read, all: [], written: () => '' }
}

function redact(
  { places, written }: OpenBody,
  findings: Extract<SearchTask, { kind: 'redact' }>['findings'],
): SharedArrayBuffer {
  const texts = places.map((text, t) => applyEdits(text, mergeFindings(findings.flatMap((one) => one[t] ?? []))))
  const changed = Buffer.from(written(texts))
  const bytes = new SharedArrayBuffer(changed.length)
  Buffer.from(bytes).set(changed)
  return bytes
}

/** The caller ends this thread when the task's time is over. */
function run(task: SearchTask): SearchTaskResult {
  if (task.kind === 'parse') return { kind: 'parsed', facts: open(task.body).facts }
  if (task.kind === 'redact') return { kind: 'redacted', bytes: redact(open(task.body), task.findings) }
  const whole = policies.get(task.policy)?.whole
  const findings =
    whole?.how === 'search' ? whole.search('body' in task ? open(task.body).texts : task.texts) : undefined
  return findings ? { kind: 'searched', findings } : { kind: 'failed', why: `no search ${task.policy}` }
}

parentPort?.on('message', (task: SearchTask) => parentPort?.postMessage(run(task)))
parentPort?.postMessage(READY)
