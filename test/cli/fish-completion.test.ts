// Completion for fish: every command and flag is in the script, and fish itself offers what fits.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { root } from '../support/pages.ts'
import { run } from '../support/run-command.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(() => dir.remove())
const { code, stdout: script } = await run(['autocomplete', 'fish'])
const file = dir.write('kt.fish', script)

const flag = z.looseObject({ hidden: z.boolean().optional() })
const manifest = z
  .object({ commands: z.record(z.string(), z.object({ id: z.string(), flags: z.record(z.string(), flag) })) })
  .parse(JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8')))

test('every command and every flag is offered, and what is hidden is not', () => {
  expect(code).toBe(0)
  for (const { id, flags } of Object.values(manifest.commands)) {
    const words = id.split(':')
    const before = ['__kt_follows', ...words.slice(0, -1)].join(' ')
    expect(script).toContain(`complete -c kt -n '${before}' -a '${words.at(-1)}' -d '`)
    for (const [name, { hidden = false }] of Object.entries(flags)) {
      const line = new RegExp(`^complete -c kt -n '__kt_is ${words.join(' ')}' -l ${name} `, 'm')
      expect(line.test(script), `${id} --${name}`).toBe(!hidden)
    }
  }
})

const hasFish = spawnSync('fish', ['--version']).status === 0

describe.skipIf(!hasFish)('fish offers', () => {
  /** What it offers for a line, without the descriptions. */
  function offered(line: string): string[] {
    const words = `source ${file}; complete -C '${line}'`
    const { stdout, stderr } = spawnSync('fish', ['--no-config', '-c', words], { cwd: dir.path, encoding: 'utf8' })
    expect(stderr).toBe('')
    return stdout.split('\n').flatMap((each) => each.split('\t')[0] || [])
  }

  test.each([
    ['kt ben', ['bench']],
    ['kt bench com', ['compare']],
    ['kt gateway ', ['check', 'start']],
    ['kt bench compare --bud', ['--budget', '--budget-file', '--budget-hold']],
    ['kt bench http://localhost:1 --until', ['--until-decided']],
    ['kt provider start --profile ant', ['anthropic']],
    ['kt plan simulate --lose', ['--lose-zone-at', '--lose-zone-for']],
    ['kt bench --rps 5 --arrival p', ['poisson']],
    ['kt bench --no-col', ['--no-color']],
    ['kt cache stats --budget', []],
    ['kt nonesuch --b', []],
  ])('%j', (line, words) => {
    expect(offered(line).sort()).toEqual(words)
  })

  test('files where an argument may be one, and none after a topic', () => {
    dir.write('report.json', '{}')
    expect(offered('kt bench compare rep')).toEqual(['report.json'])
    expect(offered('kt gateway rep')).toEqual([])
  })
})
