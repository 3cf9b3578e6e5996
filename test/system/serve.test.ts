import { expect, test } from 'vitest'
import { ADMIN_PORT, onFreePort } from '../../src/system/serve.ts'

/** Takes the ports that are asked for, as if all up to `free` were taken. */
async function askedUntil(free: number, from: number): Promise<number[]> {
  const asked: number[] = []
  await onFreePort(from, true, async (port) => {
    asked.push(port)
    if (port < free) throw Object.assign(new Error('taken'), { code: 'EADDRINUSE' })
  })
  return asked
}

test('a server that looks for a free port does not take the one where kt looks for the admin port', async () => {
  expect(await askedUntil(ADMIN_PORT, ADMIN_PORT - 2)).toEqual([ADMIN_PORT - 2, ADMIN_PORT - 1, ADMIN_PORT + 1])
})

test('who asks for that port by name gets it', async () => {
  expect(await askedUntil(ADMIN_PORT, ADMIN_PORT)).toEqual([ADMIN_PORT])
  expect(await askedUntil(ADMIN_PORT + 1, ADMIN_PORT)).toEqual([ADMIN_PORT, ADMIN_PORT + 1])
})
