// A stream as a gateway that coalesces sends it: 200 events in one body.
const WORDS = ['The', ' quick', ' brown', ' fox', ' jumps', ',', ' over', ' a', ' lazy', ' dog', '.']
export const EVENTS = 200

export function coalescedBody() {
  const chunk = (i) =>
    `data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","system_fingerprint":"kt1.abcdefghijklmnop.1.${1_000 + i * 17}","choices":[{"index":0,"delta":{"content":"${WORDS[i % WORDS.length]}"},"finish_reason":null}]}\n\n`
  return Buffer.from(`${Array.from({ length: EVENTS }, (_, i) => chunk(i)).join('')}data: [DONE]\n\n`)
}
