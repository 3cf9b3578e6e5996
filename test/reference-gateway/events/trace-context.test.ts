// W3C trace context: which header comes in and which goes on. Cases of the specification
// (https://www.w3.org/TR/trace-context/).
import { expect, test } from 'vitest'
import { formatTraceparent, parseTraceparent } from '../../../reference-gateway/events/trace-context.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'

test('continues the trace of a valid header with a span of its own', () => {
  const context = parseTraceparent(`00-${TRACE}-${PARENT}-01`)
  expect(context).toMatchObject({ traceId: TRACE, parentId: PARENT, sampled: true })
  expect(context.spanId).toMatch(/^[0-9a-f]{16}$/)
  expect(context.spanId).not.toBe(PARENT)
  expect(formatTraceparent(context)).toBe(`00-${TRACE}-${context.spanId}-01`)
})

test('an unsampled trace stays unsampled; only the lowest flag counts', () => {
  expect(parseTraceparent(`00-${TRACE}-${PARENT}-00`).sampled).toBe(false)
  expect(parseTraceparent(`00-${TRACE}-${PARENT}-02`).sampled).toBe(false)
  expect(parseTraceparent(`00-${TRACE}-${PARENT}-03`).sampled).toBe(true)
})

test('a later version is read as far as it is known', () => {
  expect(parseTraceparent(`01-${TRACE}-${PARENT}-01-more`)).toMatchObject({ traceId: TRACE, parentId: PARENT })
})

test.each([
  undefined,
  '',
  'nonsense',
  `00-${TRACE}-${PARENT}-01-more`,
  `ff-${TRACE}-${PARENT}-01`,
  `00-${'0'.repeat(32)}-${PARENT}-01`,
  `00-${TRACE}-${'0'.repeat(16)}-01`,
  `00-${TRACE.toUpperCase()}-${PARENT}-01`,
  `00-${TRACE.slice(1)}-${PARENT}-01`,
])('%s starts a new trace', (given) => {
  const context = parseTraceparent(given)
  expect(context.traceId).toMatch(/^(?!0+$)[0-9a-f]{32}$/)
  expect(context.traceId).not.toBe(TRACE)
  expect(context).toMatchObject({ parentId: undefined, sampled: true })
})

test('ids do not repeat', () => {
  const ids = Array.from({ length: 2_000 }, () => parseTraceparent(undefined).spanId)
  expect(new Set(ids).size).toBe(2_000)
})
