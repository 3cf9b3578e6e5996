/**
 * Every string of a JSON text that may be text, by where it lies, and the same JSON with other texts in those places:
 * every other byte stays. Only structure and encoded data are left out.
 */
import { unescapeJson } from './json.ts'

/** Keys whose strings are structure and no text: roles, ids, enumerations. */
export const STRUCTURE_KEYS: readonly string[] = [
  ...['role', 'id', 'type', 'object', 'model', 'status', 'finish_reason', 'native_finish_reason', 'stop_reason'],
  ...['finishReason', 'call_id', 'tool_call_id', 'item_id', 'file_id', 'event_id', 'media_type', 'mime_type'],
  ...['mimeType', 'system_fingerprint', 'service_tier', 'obfuscation', 'provider'],
  ...['modelVersion', 'responseId', 'response_id', 'modality', 'severity', 'inference_geo', 'format'],
]
const structure = new Set(STRUCTURE_KEYS)

/** Keys whose strings are encoded data where they look like it: a text there is text all the same. */
export const ENCODED_KEYS: readonly string[] = [
  ...['data', 'file_data', 'b64_json', 'encrypted_content', 'signature', 'thoughtSignature', 'thought_signature'],
  ...['embedding', 'partial_image_b64'],
]
const encoded = new Set(ENCODED_KEYS)
/** Shorter than this it may be a word. */
export const ENCODED_FROM = 64
const BASE64 = /^[\w+/-]+={0,2}$/
const DATA_URL = /^data:[^,]{0,128};base64,/
/** Lists whose items are parts of one text: what stands in two of them is read as one. */
const JOINED = new Set(['content', 'parts', 'system', 'thinking', 'summary', 'reasoning_details'])
/** The name of a member. What looks otherwise was chosen by who wrote the text, and is text. */
const PLAIN_KEY = /^[\w$.-]{0,128}$/

/** Of values that repeat a text token by token. */
export const REPEATING_KEYS: readonly string[] = ['logprobs', 'logprobsResult']

/** A text and where each of its parts ends in it. */
export interface JoinedText {
  text: string
  ends: readonly number[]
}

/** Where a text lies in the source: its parts, between their quotes (from, to, from, to, ...). */
interface TextPlace {
  at: number[]
  text: string
  ends: number[]
}

/** A value that repeats the text of the object it stands in. */
interface Repeats {
  from: number
  to: number
  /** Where that object lies. */
  start: number
  end: number
}

export interface JsonTexts {
  places: readonly TextPlace[]
  logprobs: readonly Repeats[]
}

interface Level {
  isList: boolean
  /** The key that leads here. */
  key: string
  from: number
  /** In a list of parts: the text that they form. */
  joined: TextPlace | undefined
}

/**
 * `source` is JSON that JSON.parse accepts. Found without recursion, so that no depth of nesting is too deep.
 * `repeats`: it is an answer, whose logprobs repeat its text; in a request a member of that name is like any other.
 */
export function textsIn(source: string, repeats = false): JsonTexts {
  const places: TextPlace[] = []
  const logprobs: Repeats[] = []
  const levels: Level[] = []
  /** Values of logprobs that are open, or whose object is. */
  const open: { repeats: Repeats; depth: number }[] = []
  let level: Level | undefined
  let key = ''
  let keyNext = false
  const note = (from: number, to: number): void => {
    const written = source.slice(from, to)
    if (written === '' || isLeftOut(key, written)) return
    const text = unescapeJson(written)
    const parts = partsOf(level, levels.at(-1), key)
    if (parts?.joined) {
      const { joined } = parts
      joined.at.push(from, to)
      joined.text += text
      joined.ends.push(joined.text.length)
      return
    }
    const place = { at: [from, to], text, ends: [text.length] }
    if (parts) parts.joined = place
    places.push(place)
  }
  for (let i = 0; i < source.length; i++) {
    switch (source.charCodeAt(i)) {
      case 0x22: {
        const end = closingQuote(source, i + 1)
        if (keyNext) {
          key = unescapeJson(source.slice(i + 1, end))
          keyNext = false
          if (!PLAIN_KEY.test(key)) places.push({ at: [i + 1, end], text: key, ends: [key.length] })
          i = repeats && REPEATING_KEYS.includes(key) ? skipRepeats(source, end, levels.length, level, open) : end
        } else {
          note(i + 1, end)
          i = end
        }
        break
      }
      case 0x7b:
      case 0x5b:
        if (level) levels.push(level)
        level = { isList: source.charCodeAt(i) === 0x5b, key, from: i, joined: undefined }
        keyNext = !level.isList
        break
      case 0x7d:
      case 0x5d:
        while (open.at(-1)?.depth === levels.length) {
          const closed = open.pop()
          if (closed) logprobs.push({ ...closed.repeats, end: i })
        }
        key = level?.key ?? ''
        level = levels.pop()
        keyNext = false
        break
      case 0x2c:
        keyNext = level?.isList === false
        if (level?.isList) key = level.key
        break
    }
  }
  return { places, logprobs }
}

/** The value of a member of logprobs is not text of its own. Returns where to read on: a null needs no care. */
function skipRepeats(
  source: string,
  keyEnd: number,
  depth: number,
  level: Level | undefined,
  open: { repeats: Repeats; depth: number }[],
): number {
  const from = valueFrom(source, keyEnd + 1)
  const first = source.charCodeAt(from)
  if (first !== 0x7b && first !== 0x5b) return keyEnd
  const to = valueEnd(source, from)
  open.push({ repeats: { from, to, start: level?.from ?? 0, end: 0 }, depth })
  return to - 1
}

/** The list of parts that a text belongs to: `[{"text": …}]`, or a list of strings. */
function partsOf(level: Level | undefined, above: Level | undefined, key: string): Level | undefined {
  if (level?.isList) return level.key === 'content' ? level : undefined
  return key === 'text' && above?.isList && JOINED.has(above.key) ? above : undefined
}

function isLeftOut(key: string, written: string): boolean {
  if (structure.has(key)) return true
  return DATA_URL.test(written) || (encoded.has(key) && written.length >= ENCODED_FROM && BASE64.test(written))
}

/** `source` with what `judged` says in place of its texts, and without the logprobs of a text that has changed. */
export function withTexts(source: string, { places, logprobs }: JsonTexts, judged: readonly JoinedText[]): string {
  const cuts: { from: number; to: number; text: string }[] = []
  for (const [i, { at, text, ends }] of places.entries()) {
    const now = judged[i]
    if (!now || now.text === text) continue
    for (let part = 0; part < ends.length; part++) {
      const was = text.slice(ends[part - 1] ?? 0, ends[part])
      const is = now.text.slice(now.ends[part - 1] ?? 0, now.ends[part])
      if (is !== was) cuts.push({ from: at[part * 2] ?? 0, to: at[part * 2 + 1] ?? 0, text: jsonContent(is) })
    }
  }
  const changed = [...cuts]
  for (const { from, to, start, end } of logprobs) {
    if (!changed.some((cut) => cut.from > start && cut.to < end)) continue
    cuts.push({ from, to, text: emptied(source.charCodeAt(from)) })
  }
  cuts.sort((a, b) => a.from - b.from)
  let result = ''
  let at = 0
  for (const { from, to, text } of cuts) {
    result += source.slice(at, from) + text
    at = to
  }
  return result + source.slice(at)
}

/** What a value of logprobs becomes that repeats a text which has changed, by its first byte. */
export function emptied(first: number): string {
  return first === 0x5b ? '[]' : 'null'
}

/** `text` as the content of a JSON string. */
export function jsonContent(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

/** Where the string that begins at `start` ends: at a quote after an even number of backslashes. */
export function closingQuote(text: string, start: number): number {
  for (let from = start; ; ) {
    const quote = text.indexOf('"', from)
    if (quote < 0) return text.length
    let before = quote
    while (before > start && text.charCodeAt(before - 1) === 0x5c) before--
    if ((quote - before) % 2 === 0) return quote
    from = quote + 1
  }
}

function valueFrom(source: string, at: number): number {
  let from = at
  while (' \t\r\n:'.includes(source.charAt(from)) && from < source.length) from++
  return from
}

/** After the object or list that begins at `from`. */
function valueEnd(source: string, from: number): number {
  let depth = 0
  for (let i = from; i < source.length; i++) {
    const unit = source.charCodeAt(i)
    if (unit === 0x22) i = closingQuote(source, i + 1)
    else if (unit === 0x7b || unit === 0x5b) depth++
    else if ((unit === 0x7d || unit === 0x5d) && --depth === 0) return i + 1
  }
  return source.length
}
