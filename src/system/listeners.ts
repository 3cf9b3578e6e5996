/**
 * The processes of this machine that listen at an address or are connected to it, as /proc tells them: none where the
 * address is another machine's, there is no /proc, or the process is another user's.
 */
import { lookup } from 'node:dns/promises'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { networkInterfaces } from 'node:os'

const LISTENING = '0A'
const ESTABLISHED = '01'

/** Process ids behind `url`. */
export async function localListeners(url: string, proc = '/proc'): Promise<number[]> {
  const port = await localPort(url)
  return port === undefined ? [] : holders(socketsAt(port, LISTENING, 1, proc), proc)
}

/** Process ids with a connection open to `url`, which is this machine's. */
export async function localClients(url: string, proc = '/proc'): Promise<number[]> {
  const port = await localPort(url)
  return port === undefined ? [] : holders(socketsAt(port, ESTABLISHED, 2, proc), proc)
}

async function localPort(url: string): Promise<number | undefined> {
  const { hostname, port, protocol } = new URL(url)
  if (!(await isLocal(hostname))) return undefined
  return port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)
}

function holders(sockets: ReadonlySet<string>, proc: string): number[] {
  return sockets.size === 0
    ? []
    : names(proc).flatMap((id) => (holdsAny(`${proc}/${id}/fd`, sockets) ? [Number(id)] : []))
}

/** Sockets in this state whose local (1) or remote (2) port is this one. */
function socketsAt(port: number, state: string, column: 1 | 2, proc: string): Set<string> {
  return new Set(['tcp', 'tcp6'].flatMap((table) => socketsOf(`${proc}/net/${table}`, port, state, column)))
}

async function isLocal(hostname: string): Promise<boolean> {
  try {
    const { address } = await lookup(hostname.replace(/^\[|\]$/g, ''))
    if (/^127\.|^::1$/.test(address)) return true
    return Object.values(networkInterfaces()).some((all) => all?.some((own) => own.address === address))
  } catch {
    return false
  }
}

/** Columns of the table: number, local address, remote address, state, ..., inode (the tenth). */
function socketsOf(table: string, port: number, state: string, column: 1 | 2): string[] {
  try {
    return readFileSync(table, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((columns) => {
        return columns[3] === state && Number.parseInt(columns[column]?.split(':')[1] ?? '', 16) === port
      })
      .flatMap((columns) => (columns[9] === undefined ? [] : [`socket:[${columns[9]}]`]))
  } catch {
    return []
  }
}

function names(proc: string): string[] {
  try {
    return readdirSync(proc).filter((name) => /^\d+$/.test(name))
  } catch {
    return []
  }
}

function holdsAny(folder: string, sockets: ReadonlySet<string>): boolean {
  return names(folder).some((name) => {
    try {
      return sockets.has(readlinkSync(`${folder}/${name}`))
    } catch {
      // Closed meanwhile.
      return false
    }
  })
}
