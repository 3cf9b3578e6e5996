/**
 * The processes of this machine that listen at an address, as /proc tells them: none where the address is another
 * machine's, there is no /proc, or the process is another user's.
 */
import { lookup } from 'node:dns/promises'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { networkInterfaces } from 'node:os'

const LISTENING = '0A'

/** Process ids behind `url`. */
export async function localListeners(url: string, proc = '/proc'): Promise<number[]> {
  const { hostname, port, protocol } = new URL(url)
  if (!(await isLocal(hostname))) return []
  const number = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)
  const sockets = new Set(['tcp', 'tcp6'].flatMap((table) => listeningSockets(`${proc}/net/${table}`, number)))
  return sockets.size === 0
    ? []
    : names(proc).flatMap((id) => (holdsAny(`${proc}/${id}/fd`, sockets) ? [Number(id)] : []))
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
function listeningSockets(table: string, port: number): string[] {
  try {
    return readFileSync(table, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(
        ([, local = '', , state]) => state === LISTENING && Number.parseInt(local.split(':')[1] ?? '', 16) === port,
      )
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
