/**
 * The one installer: a program of the catalogue, fetched unless it is there, or the one line that says why it cannot be
 * had here. Nothing is fetched before it is asked for.
 */
import { CATALOGUE, type Program } from './catalogue.ts'

export type PeerName = keyof typeof CATALOGUE
export type Found = { ok: true; program: Program } | { ok: false; why: string }

const MOST_OF_A_REASON = 200

export async function findPeer(name: PeerName): Promise<Found> {
  try {
    return { ok: true, program: await CATALOGUE[name]() }
  } catch (error) {
    return { ok: false, why: reasonOf(error) }
  }
}

/** The same for those who cannot do without. */
export async function needPeer(name: PeerName): Promise<Program> {
  const found = await findPeer(name)
  if (!found.ok) throw new Error(`${name} is missing, and could not be installed: ${found.why}`)
  return found.program
}

/** One line: what is missing, or the last that the client of the registry complained about. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code, path, stderr } = error as Error & { code?: unknown; path?: unknown; stderr?: unknown }
  if (code === 'ENOENT' && typeof path === 'string') return `there is no ${path} here`
  const complaint = typeof stderr === 'string' ? stderr.trim() : ''
  return (complaint || error.message).split('\n').at(-1)?.slice(0, MOST_OF_A_REASON) ?? ''
}
