// Targets that refuse members of the requests that kt writes: it finds out by itself, or says which flag leaves them
// out.
import { afterEach, describe, expect, it } from 'vitest'
import { bench } from '../../src/api/index.ts'
import { EXIT } from '../../src/errors.ts'
import { httpServer, OK_BODY, type TestServer } from '../support/engine.ts'

const servers: TestServer[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

type Body = Record<string, unknown>
interface Picky {
  origin: string
  bodies: Body[]
}

/** Refuses what `refuse` finds a reason against. */
async function picky(refuse: (body: Body) => { status: number; answer: object } | undefined): Promise<Picky> {
  const bodies: Body[] = []
  const server = await httpServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part)
    const body: Body = JSON.parse(Buffer.concat(parts).toString())
    bodies.push(body)
    const refusal = refuse(body)
    response.writeHead(refusal?.status ?? 200, { 'content-type': 'application/json' })
    response.end(refusal ? JSON.stringify(refusal.answer) : OK_BODY)
  })
  servers.push(server)
  return { origin: server.origin, bodies }
}

/** As OpenAI's newer models do. */
const onlyNewer = (body: Body) =>
  'max_tokens' in body
    ? {
        status: 400,
        answer: {
          error: {
            message:
              "Unsupported parameter: 'max_tokens' is not supported with this model. " +
              "Use 'max_completion_tokens' instead.",
            type: 'invalid_request_error',
            param: 'max_tokens',
            code: 'unsupported_parameter',
          },
        },
      }
    : undefined

const FEW = { requests: 10, warmup: 2, concurrency: 2, jitWarmup: false, floor: false }

function heard() {
  const notes: string[] = []
  return { notes, hooks: { note: (line: string) => void notes.push(line) } }
}

describe('a target that takes only max_completion_tokens', () => {
  it('is asked with that, which is said, and every measured request is answered', async () => {
    const target = await picky(onlyNewer)
    const { notes, hooks } = heard()
    const { report, exitCode } = await bench({ url: target.origin, maxTokens: 5, ...FEW }, hooks)
    expect(exitCode).toBe(EXIT.passed)
    expect(notes.join('\n')).toContain('The target refuses max_tokens and names max_completion_tokens')
    expect(report.arms[0].totals).toMatchObject({ sent: 10, successful: 10 })
    expect(report.load.workload.maxTokensField).toBe('max_completion_tokens')
    // One request found out, one validated, and the rest were right.
    expect(target.bodies.filter((body) => 'max_tokens' in body)).toHaveLength(1)
    expect(target.bodies.filter(({ max_completion_tokens: asked }) => asked === 5)).toHaveLength(13)
  })

  it('is refused where the user names the other one', async () => {
    const target = await picky(onlyNewer)
    const { notes, hooks } = heard()
    const asked = { url: target.origin, maxTokens: 5, maxTokensField: 'max_tokens', ...FEW }
    const { exitCode } = await bench(asked, hooks)
    expect(exitCode).toBe(EXIT.inconclusive)
    expect(notes.join('\n')).toContain('Every other request would fail alike')
    expect(target.bodies).toHaveLength(1)
  })
})

it('a target that refuses stream_options: the flag that leaves them out is named', async () => {
  const target = await picky((body) =>
    'stream_options' in body
      ? { status: 422, answer: { message: { detail: [{ loc: ['body', 'stream_options'], msg: 'not permitted' }] } } }
      : undefined,
  )
  const { notes, hooks } = heard()
  const { exitCode } = await bench({ url: target.origin, stream: true, ...FEW }, hooks)
  expect(exitCode).toBe(EXIT.inconclusive)
  expect(notes.join('\n')).toContain('--no-usage leaves out stream_options.')
  expect(target.bodies).toHaveLength(1)
})
