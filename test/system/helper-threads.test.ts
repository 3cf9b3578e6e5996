import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

const helpers = new URL('../../src/system/helper-threads.ts', import.meta.url).href

/** In a process of its own: this one compiles the tests. */
const SCRIPT = `
  import { readdirSync, readFileSync } from 'node:fs'
  import { lowerHelperThreads } from ${JSON.stringify(helpers)}
  const lowered = lowerHelperThreads()
  const statOf = (id) => readFileSync('/proc/self/task/' + id + '/stat', 'utf8').replace(/^.*\\) /s, '')
  const niceOf = (id) => Number(statOf(id).split(' ')[16])
  const nice = readdirSync('/proc/self/task').map((id) => niceOf(id))
  console.log(JSON.stringify({ lowered, nice, own: niceOf(process.pid) }))
`

test.runIf(process.platform === 'linux')(
  'V8’s helper threads give way, the thread that runs JavaScript does not',
  () => {
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', SCRIPT], { encoding: 'utf8' })
    expect(stderr).toBe('')
    const { lowered, nice, own } = JSON.parse(stdout)
    expect(lowered).toBe(15)
    expect(nice.filter((value: number) => value === 15).length).toBeGreaterThan(0)
    expect(own).toBeLessThan(15)
  },
)
