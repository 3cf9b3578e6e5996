/**
 * The whole road on one machine, without a key or a network: a simulated provider, the reference gateway, a bench of each, their
 * comparison with its verdict, and a plan. Every command is printed as one would type it.
 */
import { spawnSync } from 'node:child_process'
import { startEmbeddedPair } from '../../dist/src/runner/embedded.js'

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

title('A simulated provider and the reference gateway in front of it')
const pair = await startEmbeddedPair(0, (line) => process.stdout.write(`${line}\n`))
process.stdout.write(`provider ${pair.providerUrl}\ngateway  ${pair.gatewayUrl}\n`)
try {
  title('What does the gateway add to whole answers?')
  road(pair, '')
  title('And to streamed ones?')
  road(pair, '-stream', '--stream', '--measure-ttfb')
} catch (error) {
  process.exitCode = error.status ?? 1
  process.stderr.write(`demo: ${error.message}\n`)
} finally {
  await pair.close()
}
if (!process.exitCode) {
  title('How much of it is needed for 80M input and 10M output tokens per second?')
  kt('plan', '--input-peak', '80M', '--output-peak', '10M')
  process.stdout.write(
    '\nThe reports are in baseline.json, gateway.json, baseline-stream.json and gateway-stream.json.\n',
  )
}
