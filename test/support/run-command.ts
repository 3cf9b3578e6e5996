/** Runs a built command of kt in this process, as oclif does: no process is spawned. */
import { settings } from '@oclif/core'
import { runCommand } from '@oclif/test'
import type { Ended } from './kt.ts'
import { root } from './pages.ts'

// Else oclif looks for TypeScript, and warns that there is none.
settings.enableAutoTranspile = false

export async function run(args: string[], env: Record<string, string> = {}): Promise<Ended> {
  const before = { ...process.env }
  for (const name of Object.keys(process.env))
    if (/^(?:KT_|OPENAI_API_KEY|NO_COLOR|FORCE_COLOR)/.test(name)) delete process.env[name]
  Object.assign(process.env, env)
  try {
    const { stdout, stderr, error } = await runCommand(
      // It splits a line, as a shell does.
      args.map((arg) => (/\s/.test(arg) ? `"${arg}"` : arg)),
      { root },
    )
    return { code: error ? (error.oclif?.exit ?? 1) : 0, stdout, stderr }
  } finally {
    for (const name of Object.keys(process.env)) delete process.env[name]
    Object.assign(process.env, before)
  }
}
