/**
 * A protocol to which OpenAI's chat completions are translated, and beside them the list of models. It serves nothing
 * else.
 */
import { success } from '../../src/errors.ts'
import type { AnswerReader } from '../../src/wire/answer.ts'
import type { JsonObject } from '../../src/wire/json.ts'
import { type GatewayResult, refused } from '../http/gateway-error.ts'
import type { HeaderPairs } from '../http/hooks.ts'
import { type ChatRequest, type ChatSupport, parseChatRequest, unsupported } from './chat-request.ts'
import { ChatResponse } from './chat-response.ts'
import { exactBody } from './json.ts'
import { ModelList } from './model-list.ts'
import type { ChatQuestion, ProviderProtocol, TranslatedChat, TranslatedRequest } from './protocol.ts'

interface ChatProtocol extends Pick<ProviderProtocol, 'credentials'> {
  headers: HeaderPairs
  support: ChatSupport
  /** `json` is the request that was parsed. Refuses with what the provider does not support. */
  translate(
    chat: ChatRequest,
    json: JsonObject,
    asked: Pick<ChatQuestion, 'model' | 'stream'>,
  ): Translated | { unsupported: string }
  reader(model: string): AnswerReader
}

interface Translated {
  /** Behind the base path. */
  path: string
  body: JsonObject
}

const EMPTY = Buffer.alloc(0)

export function chatProtocol(protocol: ChatProtocol): ProviderProtocol {
  const { credentials, headers, reader } = protocol
  const translate = (question: ChatQuestion): GatewayResult<TranslatedChat> => translateWith(protocol, question)
  return {
    credentials,
    translate,
    buildRequest: (context, target, translateInThread) => {
      if (context.method === 'GET' && context.path === '/models') {
        const path = `${target.basePath}/models`
        return success({ path, body: EMPTY, headers, translation: new ModelList() })
      }
      if (context.endpoint !== 'chat' || !context.isJson) {
        return refused({ ...unsupported(`${context.method} /v1${context.path}`, target.name), status: 404 })
      }
      const { body, model = '', stream } = context
      const question = { body, model, stream, target }
      const finish = (translated: GatewayResult<TranslatedChat>): GatewayResult<TranslatedRequest> => {
        if (!translated.ok) return translated
        const { path, body: bytes, includeUsage } = translated.value
        const sent = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
        return success({ path, body: sent, headers, translation: new ChatResponse(reader(model), includeUsage) })
      }
      // What the gateway has read in a thread is too large for the event loop.
      if (!(body.buffer instanceof SharedArrayBuffer)) return finish(translate(question))
      return translateInThread(question).then((translated) => finish(translated ?? translate(question)))
    },
  }
}

function translateWith(
  { support, translate }: ChatProtocol,
  { body, target: { name, basePath }, ...asked }: ChatQuestion,
): GatewayResult<TranslatedChat> {
  const json = exactBody(Buffer.from(body.buffer, body.byteOffset, body.length))
  const parsed = parseChatRequest(json, name, support)
  if (!parsed.ok) return parsed
  const translated = translate(parsed.value, json, asked)
  if ('unsupported' in translated) return refused(unsupported(translated.unsupported, name))
  return success({
    path: basePath + translated.path,
    body: Buffer.from(JSON.stringify(translated.body)),
    includeUsage: parsed.value.includeUsage,
  })
}
