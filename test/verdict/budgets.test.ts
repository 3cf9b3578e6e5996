import { afterAll, describe, expect, it } from 'vitest'
import { packaged } from '../../src/system/machine.ts'
import { readBudgets } from '../../src/verdict/components.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
afterAll(() => dir.remove())
const file = (text: string): string => dir.write('budgets.yaml', text)

describe('budgets', () => {
  it("are the guide's, and the file that ships says the same", () => {
    expect(readBudgets(packaged('profiles', 'budgets.yaml'))).toEqual(readBudgets())
    expect(readBudgets()).toEqual({
      totalMs: 7,
      components: {
        input_policy: 2,
        routing: 0.5,
        connection_acquisition: 1,
        output_policy: 3,
        event_emission: 0,
      },
    })
  })

  it('may leave components out', () => {
    expect(readBudgets(file('total: 12ms'))).toEqual({ totalMs: 12, components: {} })
  })

  it.each([
    ['total: 7', "'7' is not a duration"],
    ['total: 0ms', 'must be above 0'],
    ['total: 7ms\ncomponents: { routng: 1ms }', "unknown key 'routng' (did you mean 'routing'?)"],
    ['components: {}', 'total'],
    ['total: [', 'not valid YAML'],
  ])('refuses %j', (text, message) => {
    expect(() => readBudgets(file(text))).toThrow(message)
  })
})
