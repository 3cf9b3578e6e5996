/**
 * Generates streams of every wire format that has streams: a model's visible text, its reasoning and the arguments of
 * its tools, in pieces, in all the places where providers put them. Texts hold letters that no key and no structure
 * has.
 */
import fc from 'fast-check'
import type { TextKind } from '../../src/wire/format.ts'

/** What stands in texts and nowhere else. */
export const LETTERS = /[α-ωé😀]/u
/** What a policy may look for: it comes whole, or split over pieces. */
export const SECRET = 'ωψχ'

type Json = Record<string, unknown>
interface Piece {
  kind: TextKind
  text: string
}

export interface GeneratedStream {
  /** Whole events, in order. */
  events: string[]
  usage: { input: number; output: number }
}

/** The texts of each kind in pieces, in the order in which they are sent. */
interface Script {
  pieces: Piece[]
  /** Which of a format's places holds a kind, and which of the harmless habits of providers the stream has. */
  place: number
  usage: { input: number; output: number }
  style: { named: boolean; crlf: boolean; comments: boolean; escaped: boolean; spaced: boolean }
}

const halves = fc.constantFrom(SECRET.slice(0, 2), SECRET.slice(2))
const others = fc.constantFrom('α', 'β', SECRET, ' ', '"', '\\', 'é', '😀', '\n')
const pieceText = fc.oneof(
  { weight: 3, arbitrary: halves },
  { weight: 1, arbitrary: fc.array(fc.oneof(halves, others), { maxLength: 4 }).map((all) => all.join('')) },
)
const scripts: fc.Arbitrary<Script> = fc.record({
  pieces: fc.array(fc.record({ kind: fc.constantFrom<TextKind>('visible', 'reasoning', 'tool'), text: pieceText }), {
    maxLength: 8,
  }),
  place: fc.nat(11),
  usage: fc.record({ input: fc.integer({ min: 1, max: 900 }), output: fc.integer({ min: 1, max: 900 }) }),
  style: fc.record({
    named: fc.boolean(),
    crlf: fc.boolean(),
    comments: fc.boolean(),
    escaped: fc.boolean(),
    spaced: fc.boolean(),
  }),
})

type Writer = (script: Script) => (Json | '[DONE]')[]

function choose<T>(place: number, ...choices: [T, ...T[]]): T {
  return choices[place % choices.length] ?? choices[0]
}

// --- OpenAI's chat completions, with what others add to them

const chatDelta = ({ kind, text }: Piece, place: number): Json => {
  if (kind === 'visible') {
    return choose<Json>(
      place,
      { content: text },
      { content: [{ type: 'text', text }] },
      { refusal: text },
      { audio: { id: 'audio_1', data: 'QUJD', transcript: text } },
    )
  }
  if (kind === 'reasoning') {
    return choose<Json>(
      place,
      { reasoning_content: text },
      { reasoning: text },
      { reasoning_details: [{ type: 'reasoning.text', index: 0, format: 'unknown', text }] },
      { content: [{ type: 'thinking', thinking: [{ type: 'text', text }] }] },
      { reasoning_content: text, reasoning: text },
      { reasoning: text, reasoning_details: [{ type: 'reasoning.summary', summary: text }] },
    )
  }
  const call = { index: 0, id: 'call_1' }
  return choose<Json>(
    place,
    { tool_calls: [{ ...call, type: 'function', function: { name: 'look_up', arguments: text } }] },
    { tool_calls: [{ ...call, type: 'custom', custom: { name: 'look_up', input: text } }] },
    { function_call: { name: 'look_up', arguments: text } },
  )
}

const chat: Writer = ({ pieces, place, usage }) => {
  const chunk = (delta: Json, more: Json = {}): Json => ({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: null, ...more }],
  })
  return [
    chunk({ role: 'assistant', content: '' }),
    ...pieces.map((piece) => chunk(chatDelta(piece, place))),
    chunk({}, { finish_reason: 'stop' }),
    { id: 'chatcmpl-1', choices: [], usage: { prompt_tokens: usage.input, completion_tokens: usage.output } },
    '[DONE]',
  ]
}

const completions: Writer = ({ pieces, place, usage }) => {
  const reasoning = (text: string): Json =>
    choose<Json>(place, { reasoning_content: text }, { reasoning: text }, { reasoning_details: [{ text }] })
  const chunk = (more: Json): Json => ({ id: 'cmpl-1', choices: [{ index: 0, text: '', ...more }] })
  return [
    // There are no tools here.
    ...pieces.map(({ kind, text }) => chunk(kind === 'reasoning' ? reasoning(text) : { text })),
    chunk({ finish_reason: 'stop' }),
    { id: 'cmpl-1', choices: [], usage: { prompt_tokens: usage.input, completion_tokens: usage.output } },
    '[DONE]',
  ]
}

// --- OpenAI's Responses

const ADDS = {
  visible: ['output_text', 'refusal', 'output_audio_transcript', 'audio_transcript'],
  reasoning: ['reasoning_text', 'reasoning_summary_text'],
  tool: ['function_call_arguments', 'mcp_call_arguments', 'custom_tool_call_input', 'code_interpreter_call_code'],
} as const

/** What an event that repeats a text calls it. */
const REPEATS: Readonly<Record<string, string>> = {
  output_text: 'text',
  refusal: 'refusal',
  output_audio_transcript: 'transcript',
  audio_transcript: 'transcript',
  reasoning_text: 'text',
  reasoning_summary_text: 'text',
  function_call_arguments: 'arguments',
  mcp_call_arguments: 'arguments',
  custom_tool_call_input: 'input',
  code_interpreter_call_code: 'code',
}

const responses: Writer = ({ pieces, place, usage }) => {
  const parts = (['reasoning', 'visible', 'tool'] as const).map((kind, index) => {
    const [first, ...others] = ADDS[kind]
    const adds = choose<string>(place, first, ...others)
    const text = joined(pieces, kind)
    const item = { item_id: `item_${index}`, output_index: index, content_index: 0 }
    return { kind, adds, text, item, repeats: { [REPEATS[adds] ?? '']: text } }
  })
  const events: Json[] = [{ type: 'response.created', response: { id: 'resp_1', object: 'response', output: [] } }]
  for (const { kind, text } of pieces) {
    const part = parts.find((one) => one.kind === kind)
    events.push({ type: `response.${part?.adds}.delta`, ...part?.item, delta: text, obfuscation: 'kq' })
    if (kind === 'visible') events.push({ type: 'response.output_audio.delta', ...part?.item, delta: 'QUJD' })
  }
  for (const { adds, item, repeats } of parts) events.push({ type: `response.${adds}.done`, ...item, ...repeats })
  const output = parts.map(({ kind, text, repeats }) => {
    if (kind === 'tool') return { type: 'function_call', call_id: 'call_1', name: 'look_up', ...repeats }
    return { type: kind === 'visible' ? 'message' : 'reasoning', content: [{ type: 'output_text', text }] }
  })
  const response = {
    id: 'resp_1',
    object: 'response',
    status: 'completed',
    output,
    usage: { input_tokens: usage.input, output_tokens: usage.output },
  }
  return [...events, { type: 'response.completed', response }]
}

// --- Anthropic's Messages

const messages: Writer = ({ pieces, place, usage }) => {
  const events: Json[] = [
    {
      type: 'message_start',
      message: { id: 'msg_1', role: 'assistant', content: [], usage: { input_tokens: usage.input } },
    },
    { type: 'ping' },
  ]
  for (const [index, { kind, text }] of blocksOf(pieces).entries()) {
    const [block, key, type] = {
      visible: ['text', 'text', 'text_delta'],
      reasoning: ['thinking', 'thinking', 'thinking_delta'],
      tool: ['tool_use', 'partial_json', 'input_json_delta'],
    }[kind] as [string, string, string]
    const cut = Math.min(place, text.length)
    // A block may begin with text.
    const early = kind === 'tool' ? '' : text.slice(0, cut)
    const begins = kind === 'tool' ? { id: 'toolu_1', name: 'look_up', input: {} } : { [key]: early }
    events.push({ type: 'content_block_start', index, content_block: { type: block, ...begins } })
    events.push({ type: 'content_block_delta', index, delta: { type, [key]: text.slice(early.length) } })
    if (kind === 'reasoning') {
      events.push({ type: 'content_block_delta', index, delta: { type: 'signature_delta', signature: 'QUJD' } })
    }
    events.push({ type: 'content_block_stop', index })
  }
  return [
    ...events,
    { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: usage.output } },
    { type: 'message_stop' },
  ]
}

// --- Gemini's streamGenerateContent

const gemini: Writer = ({ pieces, place, usage }) => {
  const part = ({ kind, text }: Piece): Json => {
    if (kind === 'visible') return { text }
    if (kind === 'reasoning') return { text, thought: true }
    return choose<Json>(
      place,
      { functionCall: { name: 'look_up', args: { query: text, more: [text] } } },
      { executableCode: { language: 'PYTHON', code: `${text};` } },
    )
  }
  const event = (parts: Json[], more: Json = {}): Json => ({
    candidates: [{ content: { role: 'model', parts }, index: 0, ...more }],
    modelVersion: 'm',
  })
  return [
    ...pieces.map((piece) => event([part(piece)])),
    {
      ...event([{ text: '' }], { finishReason: 'STOP' }),
      usageMetadata: { promptTokenCount: usage.input, candidatesTokenCount: usage.output },
    },
  ]
}

const WRITERS = { chat, completions, responses, messages, gemini } satisfies Record<string, Writer>

/** The formats that have streams. */
export const STREAMED_FORMATS = Object.keys(WRITERS) as (keyof typeof WRITERS)[]

export function generatedStreams(format: keyof typeof WRITERS): fc.Arbitrary<GeneratedStream> {
  const write = WRITERS[format]
  return scripts.map((script) => ({
    events: write(script).map((one) => written(one, script)),
    usage: script.usage,
  }))
}

function joined(pieces: readonly Piece[], kind: TextKind): string {
  return pieces
    .filter((piece) => piece.kind === kind)
    .map(({ text }) => text)
    .join('')
}

/** Neighbours of one kind as one; a text of the same kind that comes later is another block. */
function blocksOf(pieces: readonly Piece[]): Piece[] {
  const blocks: Piece[] = []
  for (const { kind, text } of pieces) {
    const last = blocks.at(-1)
    if (last?.kind === kind) last.text += text
    else blocks.push({ kind, text })
  }
  return blocks.map(({ kind, text }) => ({ kind, text: `${text} ` }))
}

function written(event: Json | '[DONE]', { style }: Script): string {
  const name = style.named && event !== '[DONE]' && typeof event.type === 'string' ? `event: ${event.type}\n` : ''
  const json = event === '[DONE]' ? event : JSON.stringify(event, null, style.spaced ? 1 : 0).replaceAll('\n', ' ')
  const data = style.escaped ? json.replaceAll(/[^\0-\x7f]/g, escapeOf) : json
  const whole = `${style.comments ? ': alive\n\n' : ''}${name}data: ${data}\n\n`
  return style.crlf ? whole.replaceAll('\n', '\r\n') : whole
}

function escapeOf(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}
