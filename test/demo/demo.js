/**
 * The whole road on one machine, without a key or a network: a simulated provider, the reference gateway, a bench of
 * each, their comparison with its verdict, the budget of each part of a gateway that has everything on, and a plan.
 * Every command is printed as one would type it.
 */
import { spawnSync } from 'node:child_process'
import { startEmbeddedPair } from '../../dist/src/bench/embedded.js'

const LOAD = ['--requests', '1500', '--concurrency', '4', '--max-tokens', '4']
/** Verdicts and their exit codes are results here; anything else is a failure of the demo. */
const RESULTS = [0, 3, 4]

function title(text) {
  process.stdout.write(`\n=== ${text}\n`)
}

function kt(...args) {
  process.stdout.write(`\n$ kt ${args.join(' ')}\n`)
  const { status, signal } = spawnSync(process.execPath, ['bin/run.js', ...args], { stdio: 'inherit' })
  if (signal || !RESULTS.includes(status))
    throw Object.assign(new Error(`kt ended with ${signal ?? status}`), { status })
  return status
}

/** Measures `kind` of answers directly and through the gateway, and compares the two. */
function road(pair, suffix, ...extra) {
  const [baseline, gateway] = [`baseline${suffix}.json`, `gateway${suffix}.json`]
  kt('bench', '--url', pair.providerUrl, ...LOAD, ...extra, '--output', baseline)
  kt('bench', '--url', pair.gatewayUrl, ...LOAD, ...extra, '--output', gateway)
  kt('bench', 'compare', baseline, gateway)
}

/** Runs `steps` with a pair of servers, and stops them. */
async function withPair(steps, gateway = {}) {
  const pair = await startEmbeddedPair(0, (line) => process.stdout.write(`${line}\n`), gateway)
  process.stdout.write(`provider ${pair.providerUrl}\ngateway  ${pair.gatewayUrl}\n`)
  try {
    steps(pair)
  } finally {
    await pair.close()
  }
}

try {
  title('A simulated provider and the reference gateway in front of it')
  await withPair((pair) => {
    title('What does the gateway add to whole answers?')
    road(pair, '')
    title('And to streamed ones?')
    road(pair, '-stream', '--stream', '--measure-ttfb')
  })
  title('Policies on prompts and answers, cache and events on: what does each part take of its budget?')
  await withPair(
    ({ providerUrl, gatewayUrl }) => {
      const request = ['--body', 'test/demo/request.json', '--requests', '800', '--concurrency', '4']
      kt('bench', '--url', gatewayUrl, '--baseline-url', providerUrl, ...request, '--output', 'everything-on.json')
    },
    { config: 'test/demo/everything-on.yaml' },
  )
} catch (error) {
  process.exitCode = error.status ?? 1
  process.stderr.write(`demo: ${error.message}\n`)
}
if (!process.exitCode) {
  title('How much of it is needed for 80M input and 10M output tokens per second?')
  kt('plan', '--input-peak', '80M', '--output-peak', '10M')
  process.stdout.write(
    '\nThe reports are in baseline.json, gateway.json, baseline-stream.json, gateway-stream.json and ' +
      'everything-on.json.\n',
  )
}
