/** Runs the built `kt` as a user does: a process of its own. `npm test` builds first. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { primaryRun } from '../../src/report/runs.ts'
import { benchReportSchema, type Run } from '../../src/report/schema.ts'

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
}

export interface KtProcess {
  child: ChildProcess
  ctrlC(): void
  ended: Promise<Ended>
  /** Resolves when stderr has said something that matches. */
  said(pattern: RegExp): Promise<void>
  saidOnStdout(pattern: RegExp): Promise<void>
}

const bin = fileURLToPath(new URL('../../bin/run.js', import.meta.url))

/** Keys of the machine's own environment must not reach a test's target. */
const CLEAN = { KT_API_KEY: undefined, OPENAI_API_KEY: undefined, NO_COLOR: undefined, FORCE_COLOR: undefined }

const running = new Set<KtProcess>()

export function startKt(args: string[], env: Record<string, string> = {}, cwd = tmpdir()): KtProcess {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd,
    env: { ...process.env, ...CLEAN, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own, as a shell gives it: Ctrl-C is a signal to the group.
    detached: true,
  })
  const stdout = listenTo(child.stdout)
  const stderr = listenTo(child.stderr)
  const started: KtProcess = {
    child,
    ended: new Promise((resolve) =>
      child.on('close', (code) => {
        running.delete(started)
        resolve({ code, stdout: stdout.text(), stderr: stderr.text() })
      }),
    ),
    ctrlC: () => void (child.pid && process.kill(-child.pid, 'SIGINT')),
    said: stderr.said,
    saidOnStdout: stdout.said,
  }
  running.add(started)
  return started
}

/** Ends all that were started here and still run, as Ctrl-C does. */
export async function endAllKt(): Promise<void> {
  while (running.size > 0) {
    const all = [...running]
    for (const { ctrlC } of all) ctrlC()
    await Promise.all(all.map(({ ended }) => ended))
  }
}

function listenTo(stream: Readable) {
  let text = ''
  const waiting: { pattern: RegExp; resolve: () => void }[] = []
  stream.setEncoding('utf8').on('data', (part: string) => {
    text += part
    for (const { pattern, resolve } of waiting) if (pattern.test(text)) resolve()
  })
  return {
    text: () => text,
    said: (pattern: RegExp): Promise<void> =>
      new Promise((resolve) => {
        if (pattern.test(text)) resolve()
        else waiting.push({ pattern, resolve })
      }),
  }
}

export function kt(args: string[], env: Record<string, string> = {}, cwd = tmpdir()): Promise<Ended> {
  return startKt(args, env, cwd).ended
}

/** The first arm of a report of `kt bench`, by its contract. */
export function parseBench(text: string): Run {
  return primaryRun(benchReportSchema.parse(JSON.parse(text)))
}

export function readBench(path: string): Run {
  return parseBench(readFileSync(path, 'utf8'))
}
