/**
 * Asks a running gateway at its admin port. What comes back is parsed by the schema that the caller names; whatever can
 * go wrong on the way (nobody there, another server, a token) is a UserError that says what to do.
 */

import { request } from 'undici'
import { z } from 'zod'
import { EXIT, failure, success, UserError } from '../errors.ts'
import { isAddress, withScheme } from '../parse/addresses.ts'
import { type FlagValues, flagGroup } from '../parse/flags.ts'
import { parsedBy } from '../parse/quantity.ts'
import { ADMIN_PORT } from '../system/serve.ts'
import { plainReason } from '../wire/connection-errors.ts'

const DEFAULT_ADMIN_URL = `http://127.0.0.1:${ADMIN_PORT}`

const { text } = flagGroup()

const adminOrigin = parsedBy((given) => {
  const url = URL.parse(isAddress(given) ? withScheme(given) : given)
  return url?.protocol === 'http:' || url?.protocol === 'https:'
    ? success(url.origin)
    : failure(`'${given}' is not an http(s) URL`, `Give one such as ${DEFAULT_ADMIN_URL}.`)
})

/** The flags of every command that asks a running gateway. */
export const adminFlags = {
  admin: text(adminOrigin, 'admin port of the gateway', { default: DEFAULT_ADMIN_URL, helpValue: 'url' }),
  'admin-token': text(z.string().optional(), "the gateway's gateway.admin.token; rather set it as KT_ADMIN_TOKEN"),
}

export const eventSourceSchema = z.object({
  events: z.object({ file: z.string().nullable(), kept: z.number() }).nullable(),
})

const ANSWER_MS = 10_000

const refusal = z.object({ error: z.object({ code: z.string(), message: z.string() }) })

export type AdminOptions = FlagValues<typeof adminFlags>

export class AdminClient {
  readonly #origin: string
  readonly #token: string | undefined

  constructor({ admin, 'admin-token': token }: AdminOptions) {
    this.#origin = admin
    this.#token = token
  }

  async fetch<T extends z.ZodType>(method: 'GET' | 'DELETE', path: string, schema: T): Promise<z.output<T>> {
    const text = await (await this.#send(method, path)).text()
    const parsed = schema.safeParse(parseJson(text))
    if (parsed.success) return parsed.data
    throw this.#foreign()
  }

  /** The lines of an answer as they come, until it ends or `signal` is aborted. */
  async *lines(path: string, signal?: AbortSignal): AsyncGenerator<string> {
    const body = await this.#send('GET', path, signal)
    const decoder = new TextDecoder()
    let rest = ''
    try {
      for await (const chunk of body) {
        const parts = (rest + decoder.decode(chunk as Buffer, { stream: true })).split('\n')
        rest = parts.pop() ?? ''
        yield* parts
      }
    } catch (error) {
      if (signal?.aborted) return
      throw new UserError(
        `the gateway at ${this.#origin} is gone (${plainReason(error)})`,
        'Start it again, and run this again.',
        EXIT.inconclusive,
      )
    }
  }

  async #send(method: 'GET' | 'DELETE', path: string, signal?: AbortSignal) {
    const headers = this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }
    const answer = await request(this.#origin + path, {
      method,
      headers,
      headersTimeout: ANSWER_MS,
      bodyTimeout: signal ? 0 : ANSWER_MS,
      ...(signal && { signal }),
    }).catch((error: unknown) => {
      throw new UserError(
        `no gateway answers at ${this.#origin} (${plainReason(error)})`,
        'Start one (kt gateway start), or say where its admin port is with --admin.',
        EXIT.inconclusive,
      )
    })
    if (answer.statusCode === 200) return answer.body
    const refused = refusal.safeParse(parseJson(await answer.body.text()))
    if (answer.statusCode === 401) {
      throw new UserError(`the gateway at ${this.#origin} wants its admin token`, 'Set it as KT_ADMIN_TOKEN.')
    }
    if (!refused.success) throw this.#foreign()
    throw new UserError(
      `the gateway at ${this.#origin}: ${refused.data.error.message}`,
      "Change the gateway's config, or say which gateway is meant with --admin.",
    )
  }

  #foreign(): UserError {
    return new UserError(
      `what answers at ${this.#origin} is not the admin port of kt's reference gateway`,
      'Say where that is with --admin (the port is admin_port in its config).',
    )
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
