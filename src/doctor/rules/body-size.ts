/** Limits on the size of a request: long prompts and images are larger than what APIs were built for. */
import { formatBytes } from '../../units.ts'
import type { KongPlugin } from '../config/read.ts'
import { type DoctorRule, fine, found } from '../rule.ts'

const SMALL_BODY = 1024 ** 2
const KONG_AI_BODY = 8 * 1024
const UNITS: Record<string, number> = { megabytes: 1_000_000, kilobytes: 1_000, bytes: 1 }
const READS_BODY = /^ai-(?:proxy|prompt-guard|prompt-decorator|prompt-template|request-transformer)/

export const smallBody: DoctorRule = {
  id: 'small-body-limit',
  title: 'Long prompts are refused for their size',
  cost: 'a prompt of 100,000 tokens is about 400 KB of JSON, images more: such requests fail',
  fix: {
    how: 'Allow as much as your longest prompt takes.',
    kt: { gateway: { limits: { max_body: '10MB' } } },
  },
  config: {
    kt: ({ config: { gateway } }) => {
      const seen = `limits.max_body is ${formatBytes(gateway.limits.max_body)}`
      return gateway.limits.max_body < SMALL_BODY ? found('warning', 'certain', seen) : fine(seen)
    },
    kong: ({ plugins }) => {
      const small = plugins.flatMap((plugin) => {
        const bytes = bodyLimit(plugin)
        return bytes !== undefined && bytes < SMALL_BODY ? [{ name: plugin.name, bytes }] : []
      })
      if (small.length === 0) return fine('no plugin here bounds a body below 1 MiB')
      const list = small.map(({ name, bytes }) => `${name} (${formatBytes(bytes)})`).join(', ')
      return found('warning', 'likely', `bodies above this are refused or not understood: ${list}`, {
        patch: {
          plugins: small.map(({ name }) => ({
            name,
            config:
              name === 'request-size-limiting'
                ? { allowed_payload_size: 10, size_unit: 'megabytes' }
                : { max_request_body_size: 10 * SMALL_BODY },
          })),
        },
      })
    },
    litellm: 'LiteLLM bounds no body unless its enterprise setting does',
  },
  report: 'a report is of the prompts that were sent',
  measure: 'large prompts are not sent: they cost money',
}

function bodyLimit({ name, config }: KongPlugin): number | undefined {
  if (name === 'request-size-limiting') {
    const { allowed_payload_size: size, size_unit: unit } = config
    return (typeof size === 'number' ? size : 128) * (UNITS[String(unit ?? 'megabytes')] ?? 1)
  }
  if (!READS_BODY.test(name)) return undefined
  return typeof config.max_request_body_size === 'number' ? config.max_request_body_size : KONG_AI_BODY
}
