/** The flags of `kt provider record` with their types. */
import { z } from 'zod'
import { failure, type Result, success } from '../../errors.ts'
import { isAddress, withoutCredentials, withScheme } from '../../parse/addresses.ts'
import { flagGroup } from '../../parse/flags.ts'
import { parseFlags } from '../../parse/parse-flags.ts'
import { parsedBy, port } from '../../parse/quantity.ts'
import { ktVersion } from '../../system/machine.ts'
import type { RecorderOptions } from './recorder.ts'

const { text, toggle } = flagGroup()

function parseUpstream(given: string): Result<URL> {
  const next = 'Give the address of the provider, such as https://api.openai.com.'
  const url = URL.parse(isAddress(given) ? withScheme(given) : given)
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    return failure(`'${withoutCredentials(given)}' is not an http(s) address`, next)
  }
  if (url.username || url.password || url.search) {
    return failure('must hold neither a user, a password nor a query', 'Clients send their keys themselves.')
  }
  return success(url)
}

export const recordFlags = {
  upstream: text(parsedBy(parseUpstream, 'the address of a provider'), 'provider whose answers are recorded', {
    example: 'https://api.openai.com',
  }),
  output: text(z.string('expected the file that the answers go to'), 'file that the answers are added to', {
    helpValue: 'file.jsonl',
  }),
  host: text(z.string().min(1, 'is empty'), 'address to listen on', { default: '127.0.0.1' }),
  port: text(port, 'port to listen on (0: the system chooses)', { default: '41001' }),
  'next-free-port': toggle('use the next free port when the port is taken'),
  'keep-prompts': toggle('keep the bodies of requests too'),
  json: toggle('print {"url", "pid"} on one line when listening'),
}

export function parseRecordFlags(flags: Readonly<Record<string, unknown>>, note: (line: string) => void) {
  const { 'keep-prompts': keepPrompts, ...values } = parseFlags(flags, recordFlags, 'kt provider record')
  const { host, port: at, upstream, output } = values
  const recorder: RecorderOptions = { host, port: at, upstream, output, keepPrompts, version: ktVersion, note }
  return { ...values, recorder }
}
