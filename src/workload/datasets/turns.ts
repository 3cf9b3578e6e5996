/**
 * From a conversation as messages to its turns: a turn goes on to the assistant's answer, and the tools' results that
 * follow it. And back again: the whole conversation up to the last turn's answer.
 */
import { asObject, asText } from '../../wire/json.ts'
import type { DatasetRow, DatasetTurn, Message } from './dataset.ts'

/** Undefined where nobody asks anything: there is no message of a user or of the system. */
export function turnsOf(messages: readonly Message[]): DatasetRow['turns'] | undefined {
  const turns: (DatasetTurn & { add: { messages: Message[] } })[] = []
  let added: Message[] = []
  for (const message of messages) {
    const last = turns.at(-1)
    if (message.role === 'tool' && last && added.length === 0) {
      last.toolResults = [...(last.toolResults ?? []), message]
    } else if (message.role === 'assistant' && (added.some(isAsked) || (added.length === 0 && last?.toolResults))) {
      turns.push({ add: { messages: added }, answer: message })
      added = []
    } else added.push(message)
  }
  if (added.length > 0) turns.push({ add: { messages: added } })
  const [first, ...others] = turns
  return first && [first, ...others]
}

function isAsked({ role }: Message): boolean {
  return role === 'user'
}

/** What a client that knows the whole conversation sends for its last answer. */
export function messagesUpToLastTurn({ turns }: DatasetRow): Message[] {
  return turns.flatMap(({ add, answer, toolResults = [] }, i) => {
    const asked = add.messages ?? [{ role: 'user', content: add.prompt }]
    return i === turns.length - 1 ? asked : [...asked, ...(answer ? [answer] : []), ...toolResults]
  })
}

const ROLES: Readonly<Record<string, string>> = {
  human: 'user',
  user: 'user',
  gpt: 'assistant',
  chatgpt: 'assistant',
  bing: 'assistant',
  bard: 'assistant',
  model: 'assistant',
  assistant: 'assistant',
  system: 'system',
  function_call: 'call',
  tool_call: 'call',
  observation: 'tool',
  tool: 'tool',
  tool_response: 'tool',
  function_response: 'tool',
}

export const SHAREGPT_SPEAKERS = Object.keys(ROLES)

export interface SharegptMessage {
  from: string
  value: string
}

/** As OpenAI's chat has it. A call of a tool is JSON in a text here; what follows is its result. */
export function fromSharegpt(messages: readonly SharegptMessage[]): Message[] {
  let call = 0
  let open = false
  return messages.map(({ from, value }, i): Message => {
    const role = ROLES[from] ?? from
    if (role === 'call') {
      const toolCall = toolCallIn(value, `call_${++call}`)
      open = toolCall !== undefined && ROLES[messages[i + 1]?.from ?? ''] === 'tool'
      return open ? { role: 'assistant', content: null, tool_calls: [toolCall] } : { role: 'assistant', content: value }
    }
    if (role !== 'tool') return { role, content: value }
    // Without a call that it answers, no API takes it as a tool's.
    const answers = open
    open = false
    return answers ? { role, tool_call_id: `call_${call}`, content: value } : { role: 'user', content: value }
  })
}

function toolCallIn(value: string, id: string): unknown {
  try {
    const call = asObject(JSON.parse(value))
    const name = asText(call?.name)
    if (!call || name === undefined) return undefined
    const given = call.arguments ?? call.parameters ?? {}
    const written = typeof given === 'string' ? given : JSON.stringify(given)
    return { id, type: 'function', function: { name, arguments: written } }
  } catch {
    return undefined
  }
}
