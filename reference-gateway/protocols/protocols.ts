/** The protocols by the name that the config gives them. */
import { anthropic } from './anthropic.ts'
import { gemini } from './gemini.ts'
import type { ProviderProtocol } from './protocol.ts'
import { openai } from './protocol.ts'

export const PROTOCOLS = ['openai', 'anthropic', 'gemini'] as const
export type ProtocolName = (typeof PROTOCOLS)[number]

const BY_NAME: Record<ProtocolName, ProviderProtocol> = { openai, anthropic, gemini }

export function getProtocol(name: ProtocolName): ProviderProtocol {
  return BY_NAME[name]
}
