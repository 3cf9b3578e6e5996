// Streams as a gateway that coalesces sends them: 200 events in one body.
const WORDS = ['The', ' quick', ' brown', ' fox', ' jumps', ',', ' over', ' a', ' lazy', ' dog', '.']
export const EVENTS = 200

const DELTAS = {
  coalesced: (i) => chatChunk(i, ''),
  /** As OpenAI pads its chunks, so that their length does not tell what is in them. */
  padded: (i) => chatChunk(i, `,"obfuscation":"${'xQ7'.repeat(1 + ((i * 7) % 5))}"`),
  /** Anthropic's Messages. */
  messages: (i) =>
    'event: content_block_delta\ndata: ' +
    `{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"${word(i)}"}}\n\n`,
  /** OpenAI's Responses. */
  responses: (i) =>
    'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","item_id":"msg_1",' +
    `"output_index":0,"content_index":0,"delta":"${word(i)}","logprobs":[],` +
    `"obfuscation":"${'xQ7'.repeat(1 + (i % 4))}","sequence_number":${i}}\n\n`,
  /** Gemini's, with the usage so far in every event, and CRLF. */
  gemini: (i) =>
    `data: {"candidates":[{"content":{"parts":[{"text":"${word(i)}"}],"role":"model"},"index":0}],"usageMetadata":` +
    `{"promptTokenCount":12,"candidatesTokenCount":${i + 1},"totalTokenCount":${i + 13},` +
    '"promptTokensDetails":[{"modality":"TEXT","tokenCount":12}]},"modelVersion":"m","responseId":"r"}\r\n\r\n',
}
const ENDS = {
  messages: 'event: message_stop\ndata: {"type":"message_stop"}\n\n',
  responses: 'event: response.completed\ndata: {"type":"response.completed","response":{"status":"completed"}}\n\n',
  gemini: 'data: {"candidates":[{"content":{"parts":[],"role":"model"},"finishReason":"STOP","index":0}]}\r\n\r\n',
}

/** `kind`: coalesced, padded, messages, responses or gemini. */
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
