/** Anthropic's Messages: a whole answer is a list of content blocks, a stream a sequence of typed events. */
import type { WireFormat } from './format.ts'
import { asObject, objectsIn } from './json.ts'
import { visitArguments, visitString } from './text.ts'
import { usageIn } from './usage.ts'

const EVENTS = /^(?:message_(?:start|delta|stop)|content_block_(?:start|delta|stop)|ping)$/
/** Anthropic refuses a request without a limit. */
const MAX_TOKENS = 1_024

export const anthropic: WireFormat = {
  name: 'anthropic',
  path: '/messages',
  requestMembers: ['messages', 'system'],
  isEvent: ({ type }) => typeof type === 'string' && EVENTS.test(type),
  isAnswer: ({ content }) => Array.isArray(content),
  eachEventText: (event, visit) => {
    const held = asObject(event.type === 'content_block_start' ? event.content_block : event.delta)
    if (event.type !== 'content_block_delta' && event.type !== 'content_block_start') return
    visitString('visible', held, 'text', visit)
    visitString('reasoning', held, 'thinking', visit)
    visitString('tool', held, 'partial_json', visit)
  },
  eachAnswerText: ({ content }, visit) => {
    for (const block of objectsIn(content)) {
      visitString('visible', block, 'text', visit)
      visitString('reasoning', block, 'thinking', visit)
      if (block.type === 'tool_use' || block.type === 'server_tool_use') visitArguments(block, 'input', visit)
    }
  },
  usageOf: (json) => usageIn(asObject(json.message) ?? json),
  endsStream: ({ type }) => type === 'message_stop',
  buildRequest: ({ model, stream }, text, prefix) => ({
    model,
    max_tokens: MAX_TOKENS,
    ...(prefix !== undefined && { system: prefix }),
    messages: [{ role: 'user', content: text }],
    ...(stream && { stream: true }),
  }),
}
