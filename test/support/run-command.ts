/**
 * Runs a built command of kt in this process, as oclif does: no process is spawned. It is for what a command does and
 * says; signals, pipes and what Node says itself need the process of kt.ts. One command runs at a time, since the
 * environment and the folder are those of the process.
 */
import { enableCompileCache } from 'node:module'
import { tmpdir } from 'node:os'
import { run as runOclif, settings } from '@oclif/core'
import { captureOutput } from '@oclif/test'
import type { Ended } from './kt.ts'
import { root } from './pages.ts'

// Else oclif looks for TypeScript, and warns that there is none.
settings.enableAutoTranspile = false

// As bin/run.js does.
enableCompileCache()

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

export async function run(args: string[], env: Record<string, string> = {}, cwd = tmpdir()): Promise<Ended> {
  const before = { env: { ...process.env }, cwd: process.cwd(), exitCode: process.exitCode }
  const listeners = SIGNALS.map((signal) => process.listeners(signal))
  for (const name of Object.keys(process.env))
    if (/^(?:KT_|OPENAI_API_KEY|NO_COLOR|FORCE_COLOR)/.test(name)) delete process.env[name]
  Object.assign(process.env, env)
  process.chdir(cwd)
  try {
    const { stdout, stderr, error } = await captureOutput(
      () => {
        for (const stream of [process.stdout, process.stderr]) stream.write = withCallback(stream.write)
        return runOclif(args, { root })
      },
      // What steers a terminal is what some tests look for.
      { stripAnsi: false },
    )
    return { code: error ? (error.oclif?.exit ?? 1) : 0, stdout, stderr }
  } finally {
    process.chdir(before.cwd)
    for (const name of Object.keys(process.env)) delete process.env[name]
    Object.assign(process.env, before.env)
    process.exitCode = before.exitCode
    // A command ends with its process, and so do its listeners.
    for (const [index, signal] of SIGNALS.entries())
      for (const listener of process.listeners(signal))
        if (!listeners[index]?.includes(listener)) process.off(signal, listener)
  }
}

/**
 * For a bench whose test is not about how it starts: nothing is sent ahead, neither to the target nor to kt itself.
 * Each of these takes a second of CPU time or a part of one.
 */
export const AT_ONCE = ['--no-validate', '--no-jit-warmup', '--no-floor']

type Write = typeof process.stdout.write

/** What captures calls no callback that stands where the encoding may. */
function withCallback(write: Write): Write {
  return (text: Uint8Array | string, ...more: unknown[]) => {
    write(text)
    const written = more.find((one) => typeof one === 'function')
    written?.()
    return true
  }
}
