// The file of --samples tells what is missing in it, and that is what the command ends with.
import { readFileSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { exitOfSamples, openSampleFile } from '../../src/bench/sample-file.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(dir.remove)

test('requests whose lines a slow disk could not take are said once, and change the exit code', async () => {
  const said: string[] = []
  const path = dir.file('s.ndjson')
  const file = await openSampleFile(path, (line) => said.push(line))
  await file.add('a\nb\n', 2, 0)
  await file.add('c\n', 1, 1_200)
  await file.close()
  expect(readFileSync(path, 'utf8')).toBe('a\nb\nc\n')
  expect(said).toEqual([`--samples ${path}: 1,200 of 1,203 requests have no line: the disk was too slow.`])
  expect(exitOfSamples(file.result)).toBe(2)
})

test('a whole file says nothing', async () => {
  const said: string[] = []
  const file = await openSampleFile(dir.file('whole.csv'), (line) => said.push(line), 'head\n')
  await file.add('a\n', 1, 0)
  await file.close()
  expect(said).toEqual([])
  expect([exitOfSamples(file.result), exitOfSamples(undefined)]).toEqual([undefined, undefined])
})
