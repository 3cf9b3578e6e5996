// What a refused file says of what is missing in it.
import { expect, it } from 'vitest'
import { z } from 'zod'
import { explainZodError } from '../../src/parse/explain.ts'

const schema = z.strictObject({ name: z.string(), sizes: z.array(z.strictObject({ vcpu: z.int() })) })

it.each([
  [{}, ['name: is missing, expected string', 'sizes: is missing, expected array']],
  [{ name: 'a', sizes: [{}] }, ['sizes.0.vcpu: is missing, expected number']],
  [{ name: 1, sizes: [] }, ['name: expected string, received number']],
])('%j', (value, lines) => {
  const { error } = schema.safeParse(value)
  expect(error && explainZodError(error, schema)).toEqual(lines)
})
