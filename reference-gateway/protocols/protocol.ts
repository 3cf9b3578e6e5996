/**
 * How the gateway talks to a provider. Clients always speak OpenAI's protocol; for the other protocols a request is
 * translated on its way up and the response on its way down.
 */
import type { GatewayResult } from '../http/gateway-error.ts'
import type { HeaderPairs, Maybe } from '../http/hooks.ts'
import type { RequestContext } from '../http/request-context.ts'

export interface ProviderProtocol {
  /** The header that carries the provider's key. */
  credentials(key: string): HeaderPairs
  /**
   * What is sent for this request, or why the provider does not support it. A large request is translated in a thread.
   */
  buildRequest(
    context: RequestContext,
    provider: ProtocolTarget,
    translate: TranslateInThread,
  ): Maybe<GatewayResult<TranslatedRequest>>
  /** What a thread does of it; undefined where nothing is translated. */
  translate?(question: ChatQuestion): GatewayResult<TranslatedChat>
}

/** A chat request, in a form that can be handed to a thread. */
export interface ChatQuestion {
  body: Uint8Array
  model: string
  stream: boolean
  target: ProtocolTarget
}

export interface TranslatedChat {
  path: string
  body: Uint8Array
  /** The client wants the usage of its stream. */
  includeUsage: boolean
}

/** Undefined: not in time, or not at all. */
type TranslateInThread = (question: ChatQuestion) => Promise<GatewayResult<TranslatedChat> | undefined>

/** What a protocol must know of the provider. */
interface ProtocolTarget {
  name: string
  basePath: string
}

export interface TranslatedRequest {
  path: string
  body: Buffer
  /** Besides the credentials. */
  headers: HeaderPairs
  /** Undefined: the response is passed on as it comes. */
  translation: ResponseTranslation | undefined
}

/** Translates one response to OpenAI's protocol. Throws an UnreadableAnswer where the provider's response is none. */
export interface ResponseTranslation {
  /**
   * Takes a piece of the provider's event stream, split anywhere. Returns complete events of OpenAI's; may be empty.
   */
  stream(chunk: Buffer): Buffer
  /** The provider's stream has ended. */
  streamEnd(): StreamEnd
  /** Translates a whole response, errors included. */
  whole(status: number, body: Buffer): Buffer
}

export interface StreamEnd {
  /** What is still to be sent. */
  rest: Buffer
  /** False: the stream broke off in the middle, whatever its connection says. */
  complete: boolean
}
