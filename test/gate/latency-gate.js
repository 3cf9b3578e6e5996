/**
 * The project's own latency gate, on a shared machine, without flaking: the reference gateway must not be proven over 7 ms at
 * P99, and a gate that cannot fail is none, so a gateway delayed by 15 ms must be. INCONCLUSIVE is printed and passes the first;
 * the second gets a second and a third look before it counts as a gate that failed to fail.
 */
import { spawnSync } from 'node:child_process'

const ARGS = ['bench', '--requests', '1500', '--concurrency', '2', '--max-tokens', '4', '--budget', '7ms']
const PASSED = 0
const BREACHED = 3
const INCONCLUSIVE = 4
const LOOKS = 3

function kt(...extra) {
  process.stdout.write(`\n$ kt ${[...ARGS, ...extra].join(' ')}\n`)
  return spawnSync(process.execPath, ['bin/run.js', ...ARGS, ...extra], { stdio: 'inherit' }).status
}

function end(code, text) {
  process.stdout.write(`\nlatency gate: ${text}\n`)
  process.exit(code)
}

const own = kt()
if (own === BREACHED) end(1, 'FAIL: the reference gateway adds more than 7 ms at P99')
if (own !== PASSED && own !== INCONCLUSIVE) end(1, `kt bench ended with ${own}`)

let delayed = INCONCLUSIVE
for (let look = 0; look < LOOKS && delayed === INCONCLUSIVE; look++) delayed = kt('--inject-delay', '15ms')
if (delayed !== BREACHED)
  end(1, `a gateway delayed by 15 ms ended with ${delayed}, not with ${BREACHED}: the gate cannot fail`)

end(
  0,
  own === PASSED ? 'PASS' : 'INCONCLUSIVE on the reference gateway (not a failure); a delayed one fails as it must',
)
