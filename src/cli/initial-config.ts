/**
 * The kt.yaml that `kt init` writes: the keys that most runs want, each with what its flag says in the help, and a
 * section of each command that is called again and again.
 */
import { dirname, relative, resolve, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { stringify } from 'yaml'
import { keyOf } from '../parse/parse-flags.ts'
import { packaged } from '../system/machine.ts'
import { wrap } from '../system/terminal.ts'
import { type KnownCommand, sectionsOf, TOP } from './config-sections.ts'

const WIDTH = 100

/** The keys in sections, each with a value that may stand there. */
const KEYS: Readonly<Record<string, Record<string, unknown>>> = {
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

/** By the name of a section: its keys, likewise. */
const SECTIONS: Readonly<Record<string, Record<string, unknown>>> = {
  'bench sweep': { rps: [50, 100, 200], step: '10s' },
  'bench compare': { budget: '7ms', inconclusive: 'warn' },
  'slo check': { 'slo-file': 'slo', junit: 'slo.xml' },
  plan: { 'input-peak': '80M', 'output-peak': '10M', 'from-bench': ['report.json'] },
  doctor: { config: 'gateway.yaml', severity: 'critical' },
  'gateway start': { config: 'gateway.yaml', port: 41002, workers: 'auto' },
  'provider start': { profile: 'openai', port: 41001 },
}

/**
 * The text of the file at `path`; `url` stands in it as a key that counts, all others are comments. The first line is
 * for editors: it names the schema of the installed kt.
 */
export function initialConfig(path: string, url: string | undefined, commands: readonly KnownCommand[]): string {
  const top = Object.entries(KEYS).map(([title, keys]) => {
    const lines = Object.entries(keys).flatMap(([name, value]) => [
      ...comment(describe(name, TOP, commands)),
      name === 'url' && url !== undefined ? keyLine(name, url) : `#${keyLine(name, value)}`,
    ])
    return [...comment(title), ...lines].join('\n')
  })
  const sections = Object.entries(SECTIONS).map(([section, keys]) => {
    const lines = Object.entries(keys).flatMap(([name, value]) => [
      ...comment(describe(name, section, commands)),
      `#  ${keyLine(name, value)}`,
    ])
    return [`#${section}:`, ...lines].join('\n')
  })
  const head = comment(
    "Options of 'kt bench' and 'kt bench sweep' in this folder: any of their flags is a key. Other commands have " +
      'sections, below. A flag on the command line wins over its key, and so does its variable (KT_REQUESTS=500). ' +
      'Take the # away from what you want.',
  )
  const others = comment('Other commands, each with the flags of its own. All planning commands share those of plan.')
  const schema = `# yaml-language-server: $schema=${schemaFor(path)}`
  return `${[[schema, ...head].join('\n'), ...top, others.join('\n'), ...sections].join('\n\n')}\n`
}

/** Below the folder of the file the path holds for everybody who installs kt there; elsewhere only on this machine. */
function schemaFor(path: string): string {
  const schema = packaged('fixtures', 'kt.yaml.schema.json')
  const below = relative(dirname(resolve(path)), schema)
    .split(sep)
    .join('/')
  return below.startsWith('..') ? pathToFileURL(schema).href : `./${below}`
}

function keyLine(name: string, value: unknown): string {
  const line = stringify({ [keyOf(name)]: value }, { collectionStyle: 'flow' }).trim()
  return line.replace(/^\{ ?(.*?) ?\}$/s, '$1')
}

/** What the help says of the flag that is a key of this section. */
function describe(name: string, section: string, commands: readonly KnownCommand[]): string {
  const flag = commands.filter(({ id }) => sectionsOf(id).at(-1) === (section === TOP ? 'bench' : section))[0]?.flags[
    name
  ]
  return flag && 'description' in flag && typeof flag.description === 'string' ? flag.description : ''
}

/** Wrapped, because a file has no terminal that does it. */
function comment(text: string): string[] {
  return wrap(text, WIDTH - 2).map((line) => `# ${line}`)
}
