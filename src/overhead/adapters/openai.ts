/**
 * OpenAI's own `openai-processing-ms` in whole milliseconds, which most gateways pass on: the time that the provider
 * says it took. The client's time less this time is everything between the two, including the network to the provider
 * and back. It is not the overhead of a gateway, so it has a definition of its own, and no verdict rests on it.
 */
import type { ResponseHeaders } from '../../http1/fields.ts'
import { BETWEEN_MS, millisecondsUs, type Reading } from './adapter.ts'

const SOURCE = 'openai-processing-ms'
const NOTE =
  "the client's time less what the provider says it took: the network to it and back is in it; shown, never " + 'judged'

export function openAi(headers: ResponseHeaders): Reading | undefined {
  const us = millisecondsUs(headers[SOURCE])
  return us === undefined ? undefined : { us, source: SOURCE, note: NOTE, ...BETWEEN_MS }
}
