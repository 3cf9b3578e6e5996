/**
 * What the two servers kt ships (simulated provider, reference gateway) share: finding a port, saying where they
 * listen, and ending. A server that was started by kt itself hangs on an IPC channel and ends with its parent, whatever
 * happened to the parent.
 */
import type { AddressInfo, Server } from 'node:net'
import { UserError } from '../errors.ts'

/** The gateway's admin port, where kt looks for it: no server takes it because another port was taken. */
export const ADMIN_PORT = 41_003

const PORTS_TRIED = 100

/**
 * Calls `bind` with `port`, and where that is taken and `fallback` is set, with the next ones until one is free,
 * except the admin port. Port 0 lets the system choose. A taken port without fallback is a UserError.
 */
export async function onFreePort<T>(port: number, fallback: boolean, bind: (port: number) => Promise<T>): Promise<T> {
  const last = fallback && port !== 0 ? port + PORTS_TRIED : port
  for (let candidate = port; ; candidate++) {
    try {
      return await bind(candidate)
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      if (code === 'EADDRINUSE' && candidate < last) {
        if (candidate + 1 === ADMIN_PORT) candidate++
        continue
      }
      if (code === 'EADDRINUSE') {
        throw new UserError(`port ${port} is taken`, 'Choose another with --port (0 lets the system choose).')
      }
      if (code === 'EACCES') throw new UserError(`port ${port} may not be opened`, 'Choose one above 1023 with --port.')
      if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
        throw new UserError(
          'that host address is not one of this machine',
          'Choose another with --host (127.0.0.1 is the default).',
        )
      }
      throw error
    }
  }
}

/**
 * Resolves when `server` listens: with its port, and its address without the scheme. Rejects with the system's error
 * when it cannot.
 */
export async function listenAt(
  server: Server,
  port: number,
  host: string,
): Promise<{ port: number; authority: string }> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const { port: given } = server.address() as AddressInfo
  return { port: given, authority: `${host.includes(':') ? `[${host}]` : host}:${given}` }
}

/** Resolves at the first SIGINT or SIGTERM, or when the parent that started this process over IPC is gone. */
export function untilAskedToStop(): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      // A channel with a listener would keep the process alive after its server has closed.
      process.channel?.unref()
      resolve()
    }
    process.once('SIGINT', stop)
    process.once('SIGTERM', stop)
    if (process.channel) process.once('disconnect', stop)
  })
}
