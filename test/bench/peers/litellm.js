// LiteLLM's proxy with a model for each protocol of one provider.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../support/free-port.ts'
import { startProgram } from './program.js'

/** It imports half a gigabyte of Python. */
const STARTS_WITHIN_MS = 120_000

export const CHAT_MODEL = 'gpt-4o-mini'
export const MESSAGES_MODEL = 'claude'

/** Asks the provider at `origin` for one model as chat and for the other as Messages, whatever it is asked in. */
export async function startLitellmBefore(program, folder, origin) {
  const port = await freePort()
  const models = {
    [CHAT_MODEL]: { model: 'openai/gpt-4o-mini', api_base: `${origin}/v1`, api_key: 'any' },
    [MESSAGES_MODEL]: { model: 'anthropic/claude-haiku-4-5', api_base: origin, api_key: 'any' },
  }
  const config = {
    model_list: Object.entries(models).map(([name, params]) => ({ model_name: name, litellm_params: params })),
    // Only for a measurement on loopback: anybody may ask.
    general_settings: { dangerously_permit_weak_or_unset_master_key: true },
  }
  const file = join(folder, 'litellm.yaml')
  writeFileSync(file, JSON.stringify(config))
  const options = ['--config', file, '--host', '127.0.0.1', '--port', String(port)]
  return startProgram(program, options, `http://127.0.0.1:${port}`, '/health/liveliness', STARTS_WITHIN_MS)
}
