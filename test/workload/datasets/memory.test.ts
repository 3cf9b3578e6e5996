// 126 MB of prompts take hardly more memory than a few: they stand in a file, and are read when they are sent.
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { httpServer, OK_BODY, type TestServer } from '../../support/engine.ts'
import { startKt } from '../../support/kt.ts'
import { tempDir } from '../../support/temp-dir.ts'

const MB = 1024 ** 2
const LARGE = 126 * MB

const dir = tempDir()
let server: TestServer
beforeAll(async () => {
  server = await httpServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(OK_BODY))
  })
})
afterAll(async () => {
  await server.close()
  dir.remove()
})

function writePrompts(name: string, bytes: number): string {
  const file = openSync(dir.file(name), 'w')
  const row = `${JSON.stringify({ prompt: 'a few words that stand for a prompt of 4 KB '.repeat(90) })}\n`
  const block = Buffer.from(row.repeat(Math.ceil(Math.min(bytes, MB) / row.length)))
  for (let written = 0; written < bytes; written += block.length) writeSync(file, block)
  closeSync(file)
  return dir.file(name)
}

/** The most that the process with all its threads ever had in memory, in MB. */
async function peakMb(prompts: string): Promise<number> {
  const load = ['--requests', '2000', '--concurrency', '4', '--workers', '2', '--json']
  const run = startKt(['bench', '--url', server.origin, '--prompts', prompts, ...load])
  let peak = 0
  const watch = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${run.child.pid}/status`, 'utf8')
      peak = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? peak)
    } catch {
      // It has ended.
    }
  }, 20)
  const { code, stderr } = await run.ended
  clearInterval(watch)
  expect(code, stderr).toBe(0)
  return peak / 1024
}

test.skipIf(process.platform !== 'linux')('126 MB of prompts take less than half of that', async () => {
  const few = await peakMb(writePrompts('few.jsonl', 20_000))
  const many = await peakMb(writePrompts('many.jsonl', LARGE))
  const figures = `${Math.round(few)} MB with 20 KB of prompts, ${Math.round(many)} MB with 126 MB`
  expect(few).toBeGreaterThan(50)
  expect(many - few, figures).toBeLessThan(LARGE / MB / 2)
})
