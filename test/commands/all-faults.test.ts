// Every command reports all that is wrong with its command line at once: exit 2, a line for each fault, nothing
// started.
import { expect, test } from 'vitest'
import { run } from '../support/run-command.ts'

const PEAKS = ['--input-peak', '80MB', '--output-peak=-1']
const PEAK_FAULTS = ["--input-peak: '80MB' is not a number", '--output-peak: must not be negative, not -1']

test.each<[string, string[], string[]]>([
  [
    'bench',
    ['--requests', '0', '--url', 'nonsense', '--prompt', 'a', '--body', 'b.json', '--inconclusive', 'wran'],
    [
      '--requests: must be a whole number of at least 1, not 0',
      "--url: 'nonsense' is not a URL",
      '--prompt and --body exclude each other',
      "--inconclusive: 'wran' is none of fail, warn (did you mean 'warn'?)",
    ],
  ],
  [
    'bench sweep',
    ['--rps', '5', '--concurrency', '2', '--step', '0s', '--seed', '-1'],
    ['--rps and --concurrency exclude each other', '--step: must be above 0', '--seed: must be a whole number'],
  ],
  [
    'bench compare',
    ['a.json', 'b.json', '--budget', '7', '--mode', 'both', '--no-gate', '--junit', 'r.xml', '--max-regression', 'x'],
    [
      "--budget: '7' is not a duration",
      "--mode: 'both' is none of overhead, regression",
      '--junit has no effect with --no-gate',
      "--max-regression: 'x' is neither a duration nor a share",
    ],
  ],
  [
    'slo check',
    ['r.json', '--inconclusive', 'x', '--junit', '-', '--markdown', '-'],
    ["--inconclusive: 'x' is none of", '--junit and --markdown both write to stdout'],
  ],
  [
    'plan',
    [...PEAKS, '--rss', '5', '--json', '--markdown'],
    [...PEAK_FAULTS, "--rss: '5' is not", '--json and --markdown'],
  ],
  [
    'plan',
    ['--rps', '5', '--out', 'x', '--upstream', 'h3'],
    [
      '--rps says how many requests, not how large they are',
      '--out has no effect without --emit',
      "--upstream-http: 'h3' is none of h1, h2",
    ],
  ],
  ['capacity estimate', PEAKS, PEAK_FAULTS],
  ['plan instances', [...PEAKS, '--cloud', 'aws2'], [...PEAK_FAULTS, "--cloud: 'aws2' is none of aws, gcp, azure"]],
  ['plan buffers', [...PEAKS, '--concurrency', '1.5'], [...PEAK_FAULTS, '--concurrency: must be a whole number']],
  [
    'plan sensitivity',
    [...PEAKS, '--by', '0', '--what-if', 'ratio=0', '--growth', '8', '--today', 'soon'],
    [
      ...PEAK_FAULTS,
      '--by: 0 moves nothing',
      '--ratio: must be above 0',
      "--growth: '8' is not",
      "--today: 'soon' is not",
    ],
  ],
  [
    'plan simulate',
    [...PEAKS, '--seed', 'x', '--burst', '2', '--start-lag', '5s'],
    [...PEAK_FAULTS, "--seed: 'x' is not a whole number", "--burst: '2' is not", '--start-lag has no effect without'],
  ],
  [
    'plan check',
    ['--tolerance', '200%', '--workers', '0', '--plan', 'p.json', '--ratio', '4'],
    ['--against: is missing', "--tolerance: '200%'", '--workers: must be', '--ratio has no effect with --plan'],
  ],
  [
    'provider start',
    [
      '--ttft',
      'soon',
      '--port',
      '99999',
      '--tokens',
      '0',
      '--max-streams',
      '5',
      '--tls-cert',
      'a',
      '--profile',
      'opnai',
    ],
    [
      "--ttft: 'soon' is not a delay",
      '--port: must be a whole number from 0 to 65535, not 99999',
      '--tokens: must be a whole number of at least 1',
      '--max-streams is a limit of HTTP/2, which is off',
      '--tls-cert and --tls-key belong together',
      "no profile 'opnai'",
    ],
  ],
  [
    'gateway start',
    ['--workers', '0', '--port', 'x', '--inject-delay', '2m', '--upstream', 'x', '--host', '', '--config', 'no.yaml'],
    [
      "--workers: '0' is not a number from 1 to 64",
      "--port: 'x' is not a port",
      '--inject-delay: must be at most 1m',
      "--upstream: 'x' is not an http(s) URL",
      '--host: is empty',
      'cannot read the gateway config no.yaml',
    ],
  ],
  [
    'events stats',
    ['--metric', 'lateny', '--percentiles', '50,101', '--last', '5', '--admin', 'x'],
    [
      "--metric: events have no 'lateny'",
      "--percentiles: '101' is not",
      "--last: '5' is not a duration",
      "--admin: 'x'",
    ],
  ],
  [
    'events tail',
    ['--format', '{{.laten}}', '--count', '0', '--admin', 'x'],
    [
      "--format: an event has no field 'laten'",
      '--count: must be a whole number',
      "--admin: 'x' is not an http(s) URL",
    ],
  ],
  ['cache stats', ['--admin', 'ftp://h'], ["--admin: 'ftp://h' is not an http(s) URL"]],
  ['cache clear', ['--admin', 'x'], ["--admin: 'x' is not an http(s) URL"]],
  [
    'doctor',
    ['--run', '--url', 'http://h', '--header', 'x', '--severity', 'bad', '--provider-url', 'x'],
    [
      '--run starts a gateway of its own',
      '--run needs a config to start',
      "--header: not of the form 'Name: value'",
      "--severity: 'bad' is none of",
      "--provider-url: 'x' is not a URL",
    ],
  ],
])('kt %s %j', async (command, args, faults) => {
  const { code, stdout, stderr } = await run([...command.split(' '), ...args])
  for (const fault of faults) expect(stderr).toContain(fault)
  // The flag says that a program reads stdout.
  const error = args.includes('--json') ? expect.stringContaining('"exitCode": 2') : ''
  expect({ code, stdout }).toEqual({ code: 2, stdout: error })
  expect(stderr).not.toMatch(/\n\s+at /)
})
