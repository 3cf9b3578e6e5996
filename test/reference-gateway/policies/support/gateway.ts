/** A gateway with policies, with an upstream and webhooks that belong to the test. */
import type { RequestListener } from 'node:http'
import { gatewayConfigSchema } from '../../../../reference-gateway/config/config.ts'
import { type RunningGateway, startGateway } from '../../../../reference-gateway/gateway.ts'
import { atEnd, upstream } from '../../support/harness.ts'
import { answerJson, bodyOf } from '../../support/upstream.ts'

export async function gatewayWith(
  policies: unknown[],
  handler: RequestListener,
  settings: Record<string, unknown> = {},
  report: (problem: string) => void = () => {},
): Promise<RunningGateway> {
  const { url } = await upstream(handler)
  const config = gatewayConfigSchema({}).parse({
    gateway: {
      port: 0,
      admin_port: 'off',
      providers: [{ name: 'openai', base_url: url }],
      warmup: { enabled: false },
      ...settings,
    },
    policies,
  })
  const gateway = await startGateway(config, { drainMs: 200, report })
  atEnd(() => gateway.close())
  return gateway
}

/** Answers with the request's last message, and keeps each request's text. */
export function echo(asked: string[] = []): RequestListener {
  return async (request, response) => {
    const body = await bodyOf(request)
    asked.push(body)
    const { messages } = JSON.parse(body) as { messages: { content: string }[] }
    answerJson(response, answerOf(messages.at(-1)?.content ?? ''))
  }
}

export function answerOf(content: string): Record<string, unknown> {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    system_fingerprint: 'kt1.abcdefghijklmnop.1.1234',
    choices: [{ index: 0, message: { role: 'assistant', content }, logprobs: null, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
  }
}

export const chat = (content: unknown): Record<string, unknown> => ({
  model: 'm',
  messages: [{ role: 'user', content }],
})

export interface Hook {
  url: string
  questions: { policy: string; direction: string; texts: string[] }[]
  mostAtOnce: number
}

/** A webhook that answers after `delayMs` with the result of `judge` for the texts. */
export async function hook(delayMs: number, judge: (texts: string[]) => unknown): Promise<Hook> {
  const made: Hook = { url: '', questions: [], mostAtOnce: 0 }
  let atOnce = 0
  const { url } = await upstream(async (request, response) => {
    made.mostAtOnce = Math.max(made.mostAtOnce, ++atOnce)
    const question = JSON.parse(await bodyOf(request)) as Hook['questions'][number]
    made.questions.push(question)
    setTimeout(() => {
      atOnce--
      answerJson(response, judge(question.texts))
    }, delayMs)
  })
  made.url = url
  return made
}
