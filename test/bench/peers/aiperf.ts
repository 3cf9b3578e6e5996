import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { type Load, output, PROMPT, parseOutput, type Seen, type Tool } from './tool.ts'

const one = z.object({ avg: z.number() })
const figure = z.object({ p50: z.number(), p99: z.number() })
const reportSchema = z.object({
  request_count: one,
  error_request_count: one.optional(),
  request_throughput: one,
  request_latency: figure,
  time_to_first_token: figure.optional(),
})

/** Its report is a file, and it will not run without a tokenizer. */
export const aiperf: Tool = {
  name: 'aiperf',
  peer: 'aiperf',
  async run(program, load, folder) {
    await writeTokenizer(join(folder, 'hub'))
    await writeFile(join(folder, 'prompts.jsonl'), `${JSON.stringify({ text: PROMPT })}\n`)
    const env = { HF_HUB_OFFLINE: '1', HF_HOME: folder }
    await output(program, optionsOf(load), { seconds: load.seconds, cwd: folder, env })
    return readAiperf(await readFile(join(folder, 'out', 'profile_export_aiperf.json'), 'utf8'))
  },
}

function optionsOf({ origin, rps, inFlight, seconds, tokens, stream }: Load): string[] {
  return [
    ...['profile', '--ui', 'none', '--output-artifact-dir', 'out', '--model', 'gpt-4o-mini', '--tokenizer', TOKENIZER],
    ...['--url', origin, '--endpoint-type', 'chat', '--osl', String(tokens), '--use-legacy-max-tokens'],
    ...['--input-file', 'prompts.jsonl', '--custom-dataset-type', 'single_turn'],
    ...['--benchmark-duration', String(seconds), '--concurrency', String(inFlight)],
    ...(rps === undefined ? [] : ['--request-rate', String(rps), '--request-rate-mode', 'constant']),
    ...(stream ? ['--streaming'] : []),
  ]
}

const TOKENIZER = 'kt/words'
const REVISION = '0'.repeat(40)

/** A tokenizer that knows no word, where the hub's client keeps those that it has fetched. */
async function writeTokenizer(hub: string): Promise<void> {
  const folder = join(hub, `models--${TOKENIZER.replace('/', '--')}`)
  const snapshot = join(folder, 'snapshots', REVISION)
  await mkdir(snapshot, { recursive: true })
  await mkdir(join(folder, 'refs'))
  await writeFile(join(folder, 'refs', 'main'), REVISION)
  const model = { type: 'WordLevel', vocab: { '[UNK]': 0 }, unk_token: '[UNK]' }
  const words = { version: '1.0', added_tokens: [], pre_tokenizer: { type: 'Whitespace' }, model }
  await writeFile(join(snapshot, 'tokenizer.json'), JSON.stringify(words))
  const config = { tokenizer_class: 'PreTrainedTokenizerFast', unk_token: '[UNK]' }
  await writeFile(join(snapshot, 'tokenizer_config.json'), JSON.stringify(config))
}

/** It has milliseconds, and no errors where there were none. */
export function readAiperf(text: string): Seen {
  const said = parseOutput(reportSchema, text)
  const inMs = (of: z.infer<typeof figure>) => ({ p50Ms: of.p50, p99Ms: of.p99 })
  return {
    answered: said.request_count.avg,
    failed: said.error_request_count?.avg ?? 0,
    perSecond: said.request_throughput.avg,
    latency: inMs(said.request_latency),
    ttft: said.time_to_first_token && inMs(said.time_to_first_token),
  }
}
