// The event file: whole lines, rotation by size, problems reported once, and a pipe that nobody reads.
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { afterEach, expect, test } from 'vitest'
import { eventLine } from '../../../reference-gateway/events/event.ts'
import { LogFile } from '../../../reference-gateway/events/log-file.ts'
import type { GatewayEvent } from '../../../src/wire/gateway-event.ts'
import { canMakeDevices, mknod } from '../../support/special-files.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { event, numbered } from './support.ts'

const folder = tempDir()
const problems: string[] = []
afterEach(() => {
  folder.remove()
  mkdirSync(folder.path)
  problems.length = 0
})

function sink(path: string, max_size = 64_000, max_files = 2): LogFile {
  return new LogFile({ path, max_size, max_files }, 'event file', (problem) => problems.push(problem))
}

const deliver = (to: LogFile, events: readonly GatewayEvent[]): Promise<void> =>
  to.append(Buffer.from(events.map(eventLine).join('')))

const ids = (path: string): string[] =>
  readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).request_id)

test('one object a line, appended, readable by its owner only', async () => {
  const path = folder.file('events.ndjson')
  for (const n of [1, 2]) {
    const writer = sink(path)
    await deliver(writer, [event({ request_id: `${n}a`, model: 'line\nfeed' }), event({ request_id: `${n}b` })])
    await writer.close()
  }
  expect(ids(path)).toEqual(['1a', '1b', '2a', '2b'])
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('rotates before it grows past max_size, keeps max_files, loses nothing but the oldest file', async () => {
  const path = folder.file('events.ndjson')
  const writer = sink(path, 1_500)
  for (let n = 1; n <= 20; n++) await deliver(writer, [numbered(n)])
  await writer.close()
  const all = [`${path}.2`, `${path}.1`, path]
  for (const file of all) expect(statSync(file).size).toBeLessThanOrEqual(1_500)
  expect(existsSync(`${path}.3`)).toBe(false)
  const kept = all.flatMap(ids).map(Number)
  expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => 21 - kept.length + i))
  expect(kept.length).toBeGreaterThan(6)
})

test('a write error is reported once, and writing resumes when the cause is gone', async () => {
  const path = folder.file('events.ndjson')
  mkdirSync(path)
  const writer = sink(path)
  await expect(deliver(writer, [numbered(1)])).rejects.toThrow()
  await expect(deliver(writer, [numbered(2)])).rejects.toThrow()
  expect(problems).toEqual([expect.stringMatching(/^event file .*: it is a folder; lines are dropped, trying again$/)])
  rmdirSync(path)
  await deliver(writer, [numbered(3)])
  await writer.close()
  expect(ids(path)).toEqual(['3'])
})

test.skipIf(!canMakeDevices)('a full disk is one sentence (skipped where no device can be made)', async () => {
  const writer = sink(mknod(folder.file('full'), 'full'))
  await expect(deliver(writer, [numbered(1)])).rejects.toThrow()
  await writer.close()
  expect(problems).toEqual([
    expect.stringMatching(/^event file .*full: no space left; lines are dropped, trying again$/),
  ])
})

test('no name of a client steers the terminal of whoever reads the file', async () => {
  const path = folder.file('names.ndjson')
  const writer = sink(path)
  await deliver(writer, [{ ...event(), model: 'm\u001b[2J \u009b \u202e \u2028' }])
  await writer.close()
  const text = readFileSync(path, 'utf8')
  expect(text).not.toMatch(/[^\P{Cc}\n]|[\u2028\u202e]/u)
  expect(JSON.parse(text).model).toBe('m\u001b[2J \u009b \u202e \u2028')
})

test.skipIf(process.platform === 'win32')(
  'a named pipe: without a reader an error, with a slow one it waits',
  async () => {
    const path = folder.file('pipe')
    execFileSync('mkfifo', [path])
    const writer = sink(path)
    await expect(deliver(writer, [numbered(0)])).rejects.toThrow('ENXIO')
    const reader = await open(path, 'r+')
    // More than a pipe can hold.
    const many = Array.from({ length: 400 }, (_, n) => numbered(n))
    let delivered = false
    const delivering = deliver(writer, many).then(() => {
      delivered = true
    })
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(delivered).toBe(false)
    const size = Buffer.byteLength(many.map((one) => `${JSON.stringify(one)}\n`).join(''))
    let text = ''
    while (text.length < size)
      text += await reader
        .read({ buffer: Buffer.alloc(65_536) })
        .then(({ buffer, bytesRead }) => buffer.toString('utf8', 0, bytesRead))
    await delivering
    expect(text.trim().split('\n')).toHaveLength(400)
    await writer.close()
    await reader.close()
  },
)

test.skipIf(process.platform === 'win32')('where the path is a link, the file rotates and the link stays', async () => {
  const path = folder.file('link')
  mkdirSync(folder.file('real'))
  symlinkSync('real/events.ndjson', path)
  const writer = sink(path, 1_500)
  for (let n = 1; n <= 20; n++) await deliver(writer, [numbered(n)])
  await writer.close()
  expect(readlinkSync(path)).toBe('real/events.ndjson')
  expect(readdirSync(folder.file('real')).sort()).toEqual(['events.ndjson', 'events.ndjson.1', 'events.ndjson.2'])
  expect(ids(path).at(-1)).toBe('20')
})

test.skipIf(!existsSync('/dev/fd'))('a descriptor never rotates, even a regular file', async () => {
  const file = await open(folder.file('events.ndjson'), 'a')
  const writer = sink(`/dev/fd/${file.fd}`, 1_500)
  for (let n = 1; n <= 20; n++) await deliver(writer, [numbered(n)])
  await writer.close()
  await file.close()
  expect(problems).toEqual([])
  expect(readdirSync(folder.path)).toEqual(['events.ndjson'])
  expect(ids(folder.file('events.ndjson'))).toHaveLength(20)
})
