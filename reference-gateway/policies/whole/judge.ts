/**
 * Judges whole texts, group by group: all policies of a group judge the same texts at the same time. Small texts are
 * searched at once, without a promise. Large texts, and patterns that need longer, are searched in a worker thread;
 * other services are asked meanwhile.
 */
import { type JoinedText, textsIn } from '../../../src/wire/strings.ts'
import type { Maybe } from '../../http/hooks.ts'
import { effortBudget } from '../pattern/search-budget.ts'
import type { TextBuffer } from '../pattern/text-buffer.ts'
import { applyEdits, mergeFindings, type TextFinding } from '../policy/edits.ts'
import type { Policy, PolicyGroup } from '../policy/policy.ts'
import type { PolicyBlock, PolicyEvents } from '../stream/text-scanner.ts'
import { readAnswer } from './answer.ts'
import type { SharedBody } from './search-worker.ts'
import type { SearchWorkerPool } from './search-worker-pool.ts'

/** Where the texts are: in this thread, or in a body that a worker thread has parsed. */
export interface JudgedTexts {
  readonly all: readonly JoinedText[]
  /** Undefined: the texts are here. Otherwise `all` collects them. */
  readonly body?: SharedBody
}

/** Up to this many characters, searching is quicker than handing over. */
const AT_ONCE = 32 * 1024
/**
 * The budget of a search in this thread, about a millisecond. A search that needs more starts again in a worker thread.
 */
const AT_ONCE_EFFORT = 100_000

export type Judgement =
  | { kind: 'pass' }
  /** In the body of `texts` where they have one. */
  | { kind: 'changed'; texts: JudgedTexts }
  | { kind: 'blocked'; block: PolicyBlock }

interface JudgeDependencies {
  threads: SearchWorkerPool
  events: PolicyEvents
  /** Whose texts these are. */
  asker: { readonly tenant: string }
  signal: AbortSignal | undefined
}

type Findings = TextFinding[][] | undefined

export function judgeTexts(
  groups: readonly PolicyGroup[],
  texts: JudgedTexts,
  dependencies: JudgeDependencies,
): Maybe<Judgement> {
  return judgeGroup(groups, 0, texts, false, dependencies)
}

function judgeGroup(
  groups: readonly PolicyGroup[],
  at: number,
  texts: JudgedTexts,
  changed: boolean,
  dependencies: JudgeDependencies,
): Maybe<Judgement> {
  const group = groups[at]
  if (!group) return changed ? { kind: 'changed', texts } : { kind: 'pass' }
  const size = texts.body ? Infinity : texts.all.reduce((sum, { text }) => sum + text.length, 0)
  const buffers: TextBuffer[] = []
  const findings = group.map((policy) => search(policy, texts, size, buffers, dependencies))
  const { threads, asker } = dependencies
  const goOn = (all: readonly Findings[]): Maybe<Judgement> => {
    const block = findBlock(group, all, dependencies.events)
    if (block) return { kind: 'blocked', block }
    const redacting = all.filter((one, i) => one && group[i]?.action === 'redact') as TextFinding[][][]
    if (!redacting.some((found) => found.some((one) => one.length > 0))) {
      return judgeGroup(groups, at + 1, texts, changed, dependencies)
    }
    if (!texts.body) {
      return judgeGroup(groups, at + 1, { all: redactedTexts(texts, redacting) }, true, dependencies)
    }
    return threads.redact(asker.tenant, texts.body, redacting).then((body) => {
      const [policy] = group.filter(({ action }) => action === 'redact')
      // What cannot be taken out must not pass.
      if (!body) return policy ? { kind: 'blocked', block: { policy, why: 'timeout' } } : { kind: 'pass' }
      return judgeGroup(groups, at + 1, textsOfBody(body), true, dependencies)
    })
  }
  return findings.every((one) => !(one instanceof Promise))
    ? goOn(findings as Findings[])
    : Promise.all(findings).then(goOn)
}

/** Undefined: not judged in time, or not judged at all. */
function search(
  policy: Policy,
  texts: JudgedTexts,
  size: number,
  buffers: TextBuffer[],
  { threads, asker, signal }: JudgeDependencies,
): Maybe<Findings> {
  const { name, whole, timeoutMs } = policy
  switch (whole.how) {
    case 'question':
      return whole.ask(wordsOf(texts), signal).catch(() => undefined)
    case 'search': {
      if (size <= AT_ONCE || (whole.quick && !texts.body)) {
        const found = whole.search(wordsOf(texts), effortBudget(AT_ONCE_EFFORT), buffers)
        if (found) return found
      }
      const asked = texts.body ? { body: texts.body } : { texts: wordsOf(texts) }
      return threads.search(asker.tenant, { kind: 'search', policy: name, ...asked }, timeoutMs)
    }
    default:
      return whole satisfies never
  }
}

function wordsOf({ all }: JudgedTexts): string[] {
  return all.map(({ text }) => text)
}

function findBlock(group: PolicyGroup, all: readonly Findings[], events: PolicyEvents): PolicyBlock | undefined {
  let block: PolicyBlock | undefined
  for (const [i, policy] of group.entries()) {
    const findings = all[i]
    if (!findings) {
      events.timedOut(policy)
      if (policy.onTimeout === 'fail_closed') block ??= { policy, why: 'timeout' }
    } else if (findings.some((one) => one.length > 0)) {
      events.found(policy)
      if (policy.action === 'block') block ??= { policy, why: 'match' }
    }
  }
  return block
}

function redactedTexts(texts: JudgedTexts, findings: readonly (readonly TextFinding[][])[]): JoinedText[] {
  return texts.all.map((text, t) => applyEdits(text, mergeFindings(findings.flatMap((one) => one[t] ?? []))))
}

/** They are collected here only for those who cannot ask a thread. */
export function textsOfBody(body: SharedBody): JudgedTexts {
  let all: readonly JoinedText[] | undefined
  return {
    body,
    get all() {
      all ??= readTexts(body)
      return all
    },
  }
}

function readTexts({ bytes, answer }: SharedBody): readonly JoinedText[] {
  const body = Buffer.from(bytes)
  if (!answer) return textsIn(body.toString()).places
  const read = readAnswer(body, answer)
  return read.ok ? read.value.all : []
}
