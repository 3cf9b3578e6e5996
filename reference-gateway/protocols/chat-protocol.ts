/**
 * A protocol to which OpenAI's chat completions are translated, and beside them the list of models. It serves nothing
 * else.
 */
import { success } from '../../src/errors.ts'
import type { AnswerReader } from '../../src/wire/answer.ts'
import type { JsonObject } from '../../src/wire/json.ts'
import { refused } from '../http/gateway-error.ts'
import type { HeaderPairs } from '../http/hooks.ts'
import type { RequestContext } from '../http/request-context.ts'
import { type ChatRequest, type ChatSupport, parseChatRequest, type Turn, unsupported } from './chat-request.ts'
import { ChatResponse } from './chat-response.ts'
import { exactBody } from './json.ts'
import { ModelList } from './model-list.ts'
import type { ProviderProtocol } from './protocol.ts'

interface ChatProtocol extends Pick<ProviderProtocol, 'credentials'> {
  headers: HeaderPairs
  support: ChatSupport
  /** `json` is the request that was parsed. Refuses with what the provider does not support. */
  translate(chat: ChatRequest, json: JsonObject, context: RequestContext): Translated | { unsupported: string }
}

interface Translated {
  /** Behind the base path. */
  path: string
  body: JsonObject
  reader: AnswerReader
}

const EMPTY = Buffer.alloc(0)

export function chatProtocol({ credentials, headers, support, translate }: ChatProtocol): ProviderProtocol {
  return {
    credentials,
    buildRequest: (context, { name, basePath }) => {
      if (context.method === 'GET' && context.path === '/models') {
        return success({ path: `${basePath}/models`, body: EMPTY, headers, translation: new ModelList() })
      }
      if (context.endpoint !== 'chat' || !context.isJson) {
        return refused({ ...unsupported(`${context.method} /v1${context.path}`, name), status: 404 })
      }
      const json = exactBody(context.body)
      const parsed = parseChatRequest(json, name, support)
      if (!parsed.ok) return parsed
      const translated = translate(parsed.value, json, context)
      if ('unsupported' in translated) return refused(unsupported(translated.unsupported, name))
      return success({
        path: basePath + translated.path,
        body: Buffer.from(JSON.stringify(translated.body)),
        headers,
        translation: new ChatResponse(translated.reader, parsed.value.includeUsage),
      })
    },
  }
}

/** What the turns say, by who says it: neighbours of the same role become one. */
export function joinTurns(
  turns: readonly Turn[],
  partsOf: (turn: Turn) => JsonObject[],
): { isAnswer: boolean; parts: JsonObject[] }[] {
  const joined: { isAnswer: boolean; parts: JsonObject[] }[] = []
  for (const turn of turns) {
    const isAnswer = turn.role === 'assistant'
    const parts = partsOf(turn)
    const last = joined.at(-1)
    if (last?.isAnswer === isAnswer) last.parts.push(...parts)
    else joined.push({ isAnswer, parts })
  }
  return joined
}
