/**
 * LiteLLM: `x-litellm-overhead-duration-ms`, a float, is its total less the provider's time, from the start of its
 * handler. Known bug: for Bedrock the overhead equals `x-litellm-response-duration-ms`. Detailed timing adds
 * `x-litellm-timing-*`, which includes its wait for the provider.
 */
import { type Adapter, FINE, millisecondsUs, type Statement } from './adapter.ts'

const SOURCE = 'x-litellm-overhead-duration-ms'
const NOTE =
  'from the start of its handler: the wait for its event loop is not in it; of a stream it holds only the ' +
  'time before the first chunk'
const WAIT = 'x-litellm-timing-llm-api-ms'
const WAIT_NOTE =
  "the client's time less its call of the provider; the wait for its event loop, the network to the gateway " +
  'and kt are in it'
/** Headers that identify LiteLLM without its overhead. */
const MARKS = [
  'x-litellm-version',
  'x-litellm-call-id',
  'x-litellm-model-id',
  'x-litellm-cache-key',
  'x-litellm-response-duration-ms',
]
const COMPONENTS: Record<string, string> = {
  'x-litellm-timing-pre-processing-ms': 'pre_processing',
  'x-litellm-timing-post-processing-ms': 'post_processing',
  'x-litellm-timing-message-copy-ms': 'message_copy',
  'x-litellm-callback-duration-ms': 'callback',
}

export const liteLlm: Adapter = {
  names: [SOURCE, ...MARKS],
  read(headers) {
    const us = millisecondsUs(headers[SOURCE])
    if (us === undefined) {
      const known = MARKS.some((mark) => headers[mark] !== undefined)
      return known ? { gateway: 'LiteLLM', caveat: `it sent no ${SOURCE}` } : undefined
    }
    const statement: Statement = {
      gateway: 'LiteLLM',
      overhead: { us, source: SOURCE, note: NOTE, ...FINE },
      componentsUs: {},
    }
    for (const header in COMPONENTS) {
      const part = millisecondsUs(headers[header])
      const name = COMPONENTS[header]
      if (part !== undefined && name !== undefined && statement.componentsUs) statement.componentsUs[name] = part
    }
    const waitUs = millisecondsUs(headers[WAIT])
    if (waitUs !== undefined) statement.upstream = { us: waitUs, source: WAIT, note: WAIT_NOTE, ...FINE }
    const responseUs = millisecondsUs(headers['x-litellm-response-duration-ms'])
    if (responseUs === us) {
      statement.unusable = 'equal to x-litellm-response-duration-ms: the known LiteLLM bug (Bedrock)'
    }
    return statement
  },
}
