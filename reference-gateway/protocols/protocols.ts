/** The table of protocols, by the name that the config gives them. */
import { success } from '../../src/errors.ts'
import { anthropic } from './anthropic.ts'
import { gemini } from './gemini.ts'
import type { ProviderProtocol } from './protocol.ts'

/** The clients' own protocol: nothing is translated. */
const openai: ProviderProtocol = {
  credentials: (key) => ['authorization', `Bearer ${key}`],
  buildRequest: (context, { basePath }) =>
    success({
      path: basePath + context.path || '/',
      body: context.body,
      headers: [],
      translation: undefined,
    }),
}

const BY_NAME = { openai, anthropic, gemini } satisfies Record<string, ProviderProtocol>

export type ProtocolName = keyof typeof BY_NAME

export const PROTOCOLS = Object.keys(BY_NAME) as ProtocolName[]

export function getProtocol(name: ProtocolName): ProviderProtocol {
  return BY_NAME[name]
}
