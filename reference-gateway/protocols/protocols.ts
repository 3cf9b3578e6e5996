/** The protocols by the name that the config gives them. */
import { anthropic } from './anthropic.ts'
import { gemini } from './gemini.ts'
import type { Protocol } from './protocol.ts'
import { openai } from './protocol.ts'

export const PROTOCOLS = ['openai', 'anthropic', 'gemini'] as const
export type ProtocolName = (typeof PROTOCOLS)[number]

const BY_NAME: Record<ProtocolName, Protocol> = { openai, anthropic, gemini }

export function protocolOf(name: ProtocolName): Protocol {
  return BY_NAME[name]
}
