/**
 * OpenAI's own `openai-processing-ms`, whole milliseconds, passed on by most gateways: what the provider says it took itself. The client's
 * time less this is all that lies between the two, the network to the provider and back included: no gateway's overhead, so
 * it stands under a name of its own beside whatever the gateway says, and no verdict rests on it.
 */
import type { ResponseHeaders } from '../../client/request-result.ts'
import { millisecondsUs, type Reading } from './adapter.ts'

const SOURCE = 'openai-processing-ms'
const NOTE =
  "the client's time less what the provider says it took: the network to it and back is in it; shown, never judged; whole milliseconds cannot prove less than one"

export function openAi(headers: ResponseHeaders): Reading | undefined {
  const us = millisecondsUs(headers[SOURCE])
  return us === undefined ? undefined : { us, source: SOURCE, note: NOTE, resolutionUs: 1_000 }
}
