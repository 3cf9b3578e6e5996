// Stdin is read where `-` asks for it, and is nobody's argument else: a loop that reads lines keeps its lines.
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { makeReport } from '../support/make-report.ts'

const bin = fileURLToPath(new URL('../../bin/run.js', import.meta.url))

function piped(input: string, args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [bin, ...args], { input, cwd: tmpdir(), encoding: 'utf8' })
}

test('what stands on stdin is no argument', () => {
  const shown = piped('chat\n', ['profiles', 'show'])
  expect(shown.stderr).toContain('NAME is missing')
  expect(shown.status).toBe(2)
  const planned = piped('http://127.0.0.1:2\n', ['bench', '--requests', '5', '--no-config', '--dry-run', '--json'])
  expect(planned.status, planned.stderr).toBe(0)
  expect(JSON.parse(planned.stdout).arms.map(({ name }: { name: string }) => name)).toEqual(['gateway', 'direct'])
})

test('--config - is read from stdin, and its faults are told', () => {
  const args = ['bench', '--url', 'http://127.0.0.1:1', '--config', '-', '--dry-run', '--json']
  const { status, stdout, stderr } = piped('requests: 7\nconcurrency: 2\n', args)
  expect(status, stderr).toBe(0)
  expect(JSON.parse(stdout).run).toMatchObject({ requests: 7, concurrency: 2 })
  const typo = piped('requets: 7\n', args)
  expect(typo.status).toBe(2)
  expect(typo.stderr).toContain("did you mean 'requests'?")
})

test('a report may come from stdin, also on both sides', () => {
  const { status, stdout, stderr } = piped(JSON.stringify(makeReport({ requests: 200, blocks: 10 })), [
    ...['bench', 'compare', '-', '-', '--no-gate', '--json'],
  ])
  expect(status, stderr).toBe(0)
  const { baseline, gateway } = JSON.parse(stdout)
  expect([baseline.file, gateway.file]).toEqual(['-', '-'])
})
