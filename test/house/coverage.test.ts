// Each room has a floor of coverage, but those of single files and the commands, which run in processes of their own.
import { expect, test } from 'vitest'
import config from '../../vitest.config.ts'
import { FLOORS } from './floors.ts'

const WITHOUT = ['commands', 'errors', 'units']

test('each room has a floor of coverage', () => {
  const rooms = FLOORS.flat().filter((room) => !WITHOUT.includes(room))
  const held = Object.keys(config.test?.coverage?.thresholds ?? {})
  const globs = rooms.map((room) => (room === 'reference-gateway' ? `${room}/**` : `src/${room}/**`))
  expect(held.sort()).toEqual(globs.sort())
})
