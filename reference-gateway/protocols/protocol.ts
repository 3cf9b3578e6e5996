/**
 * How a provider is spoken to. Clients always speak OpenAI's protocol; for the others a request is translated on its way
 * up and its answer on its way down.
 */

import type { GatewayError } from '../http/gateway-error.ts'
import type { HeaderPairs } from '../http/hooks.ts'
import type { RequestContext } from '../http/request-context.ts'

/** OpenAI's protocol: the clients' own, so that nothing is translated. */

const NO_HEADERS: HeaderPairs = []

export const openai: ProviderProtocol = {
  credentials: (key) => ['authorization', `Bearer ${key}`],
  buildRequest: (context: RequestContext, basePath: string): TranslatedRequest => ({
    path: basePath + context.path || '/',
    body: context.body,
    headers: NO_HEADERS,
    translation: undefined,
  }),
}

export interface ProviderProtocol {
  /** The header that carries the provider's key. */
  credentials(key: string): HeaderPairs
  /** What is sent for this request, or why it cannot be said in this protocol. */
  buildRequest(context: RequestContext, basePath: string): TranslatedRequest | GatewayError
}

export interface TranslatedRequest {
  path: string
  body: Buffer
  /** Besides the credentials. */
  headers: HeaderPairs
  /** Undefined: the answer is passed on as it comes. */
  translation: ResponseTranslation | undefined
}

/** One answer, from the provider's protocol to OpenAI's. Throws an UnreadableAnswer where it is none. */
export interface ResponseTranslation {
  /** A piece of the provider's event stream, split anywhere -> complete events of ours; may be empty. */
  stream(chunk: Buffer): Buffer
  /** The provider's stream has ended. */
  streamEnd(): StreamEnd
  /** A whole answer, errors included. */
  whole(status: number, body: Buffer): Buffer
}

export interface StreamEnd {
  /** What is still to be said. */
  rest: Buffer
  /** False: it broke off in the middle, whatever its connection says. */
  complete: boolean
}
