/**
 * Answers that are made of choices, OpenAI's chat completions and legacy completions: their end, and how they are
 * written, whole and as the chunks of a stream.
 */
import type { AnswerWriter, FinishReason, StreamWriter, TextAnswer, WholeWriter } from './answer.ts'
import { type JsonObject, objectsIn } from './json.ts'
import { writeOpenaiErrorEvent, writePadding } from './openai.ts'
import type { TokenUsage } from './usage.ts'

/** What differs between the formats. A text stands between the two strings of a pair. */
interface ChoiceForm {
  idPrefix: string
  /** The `object` of an answer and of a chunk. */
  answer: string
  chunk: string
  whole: readonly [before: string, after: string]
  delta: readonly [before: string, after: string]
  /** The content of the first chunk, which has no text; undefined where there is no such chunk. */
  begin: string | undefined
  /** The content of the chunk with the finish reason. */
  finish: string
  /** What Azure sends before the first chunk. */
  promptFilter: string
}

/** Whether a choice of an event, or of an answer, says why it ended. */
export function hasFinishReason({ choices }: JsonObject): boolean {
  return objectsIn(choices).some(({ finish_reason: reason }) => typeof reason === 'string' && reason !== '')
}

export const DONE = 'data: [DONE]\n\n'

export function choicesWriter(form: ChoiceForm): AnswerWriter {
  return {
    whole: (answer, text) => writeWhole(form, answer, text),
    stream: (answer) => writeStream(form, answer),
  }
}

/** The head of an answer or a chunk, open for further members. */
export function writeHead(object: string, id: string, created: number, model: string): string {
  return `{"id":${JSON.stringify(id)},"object":"${object}","created":${created},"model":${JSON.stringify(model)}`
}

/** `content` is a member: a message, a delta or a text. A choice without a `reason` goes on. */
export function writeChoice(index: number, content: string, reason?: FinishReason): string {
  return `{"index":${index},${content}${endChoice(reason)}`
}

export function writeUsage({ input, output, cached, reasoning }: TokenUsage): string {
  return (
    `{"prompt_tokens":${input},"completion_tokens":${output},"total_tokens":${input + output},` +
    `"prompt_tokens_details":{"cached_tokens":${cached}},` +
    `"completion_tokens_details":{"reasoning_tokens":${reasoning}}}`
  )
}

function endChoice(reason?: FinishReason): string {
  return `,"logprobs":null,"finish_reason":${reason === undefined ? null : `"${reason}"`}}`
}

function writeWhole(form: ChoiceForm, answer: TextAnswer, text: string): WholeWriter {
  const { id, created, model, finishReason, usage } = answer
  const [before, after] = form.whole
  const head = `${writeHead(form.answer, form.idPrefix + id, created, model)},"choices":[{"index":0,${before}${text}`
  const tail = `${after}${endChoice(finishReason)}],"usage":${writeUsage(usage)}`
  return (members, textEnd) => `${head}${textEnd}${tail}${members}}`
}

function writeStream(form: ChoiceForm, answer: TextAnswer): StreamWriter {
  const { id, created, model, includeUsage, obfuscation } = answer
  const head = flat(`data: ${writeHead(form.chunk, form.idPrefix + id, created, model)}`)
  const usageAside = includeUsage ? ',"usage":null' : ''
  const pad = (chars: number): string => (obfuscation ? writePadding(chars) : '')
  const chunk = (content: string, chars: number, reason?: FinishReason): string =>
    `,"choices":[${writeChoice(0, content, reason)}]${usageAside}${pad(chars)}}\n\n`
  const filter = answer.promptFilterEvent ? form.promptFilter : ''
  const begin = form.begin === undefined ? undefined : chunk(form.begin, 0)
  const finish = chunk(form.finish, 0, answer.finishReason)
  const usage = includeUsage ? `,"choices":[],"usage":${writeUsage(answer.usage)}${pad(0)}}\n\n` : undefined
  const [before, after] = form.delta
  const tailOf = remembered(`${form.chunk} ${includeUsage} ${obfuscation}`, (text) =>
    chunk(before + text + after, text.length),
  )
  return {
    open: (members) => (begin === undefined ? '' : filter + head + members + begin),
    event: (text, _tokens, members) => head + members + tailOf(text),
    close: (members) => `${head}${members}${finish}${usage ? head + members + usage : ''}${DONE}`,
    fail: writeOpenaiErrorEvent,
  }
}

const MAX_REMEMBERED = 1_000
const memory = new Map<string, Map<string, string>>()

/** `build`, remembering what it made of the texts seen first: the single tokens, as long as they are not stamped. */
function remembered(kind: string, build: (text: string) => string): (text: string) => string {
  const known = memory.get(kind) ?? new Map<string, string>()
  memory.set(kind, known)
  return (text) => {
    const found = known.get(text)
    if (found !== undefined) return found
    const built = flat(build(text))
    if (known.size < MAX_REMEMBERED) known.set(text, built)
    return built
  }
}

/** The same in one piece: a concatenation is a tree of its parts, which every event that holds it would walk again. */
function flat(text: string): string {
  return Buffer.from(text).toString()
}
