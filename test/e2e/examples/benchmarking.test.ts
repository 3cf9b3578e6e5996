import { expect, test } from 'vitest'
import { EXIT } from '../../../src/errors.ts'
import { kt } from '../../support/kt.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { runSlice, urls } from './run.ts'

runSlice('benchmarking')

test('fifty requests cannot carry a verdict, as docs/benchmarking.md says', async () => {
  const dir = tempDir()
  const load = ['--requests', '50', '--concurrency', '5']
  for (const [name, url] of [
    ['baseline.json', urls.provider],
    ['gateway.json', urls.gateway],
  ] as const) {
    await kt(['bench', '--url', url, ...load, '--output', name], {}, dir.path)
  }
  const compare = ['bench', 'compare', 'baseline.json', 'gateway.json']
  const { code, stdout } = await kt(compare, {}, dir.path)
  const limited = await kt([...compare, '--budget', '7ms'], {}, dir.path)
  dir.remove()
  expect([code, limited.code]).toEqual([EXIT.passed, EXIT.inconclusive])
  // How many would decide it is told where more would help: not on a machine that is noisy now.
  expect(stdout).toMatch(/INCONCLUSIVE[\s\S]*too\s+few\s+requests\s+for\s+a\s+P99:\s+50\s+of\s+at\s+least\s+437/)
})
