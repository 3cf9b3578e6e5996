/** The kt.yaml that `kt init` writes: the keys that most runs want, each with what its flag says in the help. */
import { stringify } from 'yaml'
import { keyOf } from '../parse/parse-flags.ts'
import { wrap } from '../system/terminal.ts'
import { benchFlags } from './options.ts'

const WIDTH = 100

/** The keys in sections, each with a value that may stand there. */
const SECTIONS: Readonly<Record<string, Partial<Record<keyof typeof benchFlags, unknown>>>> = {
  'Where to: without a url kt measures its own gateway and provider.': {
    url: 'http://localhost:41002/v1/chat/completions',
    'baseline-url': 'https://api.openai.com/v1',
    header: ['X-Team: platform'],
    timeout: '30s',
  },
  'What is sent. The key comes from KT_API_KEY or OPENAI_API_KEY.': {
    model: 'gpt-4o-mini',
    prompt: 'Say hello in one word',
    workload: 'chat',
    'max-tokens': 64,
    stream: true,
  },
  'How much: a closed loop with so many requests in flight, or an open one with so many each second.': {
    requests: 1000,
    concurrency: 10,
    rps: 100,
    duration: '60s',
    warmup: 50,
  },
  'What must hold: exit 3 where it does not, exit 4 where the run cannot tell.': {
    budget: '7ms',
    threshold: ['errors.rate<0.1%'],
    slo: 'chat-short',
    'until-decided': true,
  },
  'What is left behind.': {
    output: 'report.json',
    junit: 'kt.xml',
  },
}

/** The text of the file; `url` stands in it as a key that counts, all others are comments. */
export function initialConfig(url: string | undefined): string {
  const sections = Object.entries(SECTIONS).map(([title, keys]) => {
    const lines = Object.entries(keys).map(([name, value]) =>
      keyLines(name, name === 'url' ? (url ?? value) : value, url),
    )
    return [...comment(title), ...lines.flat()].join('\n')
  })
  const head = comment(
    "Options of 'kt bench' and 'kt bench sweep' in this folder: any of their flags is a key. A flag on the command " +
      'line wins over its key, and so does its variable (KT_REQUESTS=500). Take the # away from what you want.',
  )
  return `${[head.join('\n'), ...sections].join('\n\n')}\n`
}

function keyLines(name: string, value: unknown, url: string | undefined): string[] {
  const { description = '' } = (benchFlags as Record<string, { flag: { description?: string } }>)[name]?.flag ?? {}
  const line = stringify({ [keyOf(name)]: value }, { collectionStyle: 'flow' }).trim()
  const given = line.replace(/^\{ ?(.*?) ?\}$/s, '$1')
  return [...comment(description), name === 'url' && url !== undefined ? given : `#${given}`]
}

/** Wrapped, because a file has no terminal that does it. */
function comment(text: string): string[] {
  return wrap(text, WIDTH - 2).map((line) => `# ${line}`)
}
