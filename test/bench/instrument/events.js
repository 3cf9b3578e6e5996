// Streams as a gateway that coalesces sends them: 200 events in one body.
const WORDS = ['The', ' quick', ' brown', ' fox', ' jumps', ',', ' over', ' a', ' lazy', ' dog', '.']
export const EVENTS = 200

const DELTAS = {
  coalesced: (i) => chatChunk(i, ''),
  /** As OpenAI pads its chunks, so that their length does not tell what is in them. */
  padded: (i) => chatChunk(i, `,"obfuscation":"${'xQ7'.repeat(1 + ((i * 7) % 5))}"`),
  /** Anthropic's Messages, which kt reads by parsing each event. */
  messages: (i) =>
    'event: content_block_delta\ndata: ' +
    `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"${word(i)}"}}\n\n`,
}
const ENDS = { messages: 'event: message_stop\ndata: {"type":"message_stop"}\n\n' }

/** `kind`: coalesced, padded or messages. */
export function coalescedBody(kind = 'coalesced') {
  const deltas = Array.from({ length: EVENTS }, (_, i) => DELTAS[kind](i))
  return Buffer.from(`${deltas.join('')}${ENDS[kind] ?? 'data: [DONE]\n\n'}`)
}

const word = (i) => WORDS[i % WORDS.length]

function chatChunk(i, more) {
  const stamp = `kt1.abcdefghijklmnop.1.${1_000 + i * 17}`
  return (
    'data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m",' +
    `"system_fingerprint":"${stamp}","choices":[{"index":0,"delta":{"content":"${word(i)}"},"finish_reason":null}]` +
    `${more}}\n\n`
  )
}
