/**
 * What stands beside the prompt of a chat request: images, tools, and the form that the answer is asked for in. All of
 * it is made once, before the run, and the same in every request.
 */
import { crc32, deflateSync } from 'node:zlib'
import { failure, type Result, success } from '../errors.ts'
import { randomFrom } from '../stats/random.ts'
import { formatNumber } from '../units.ts'
import type { JsonObject } from '../wire/json.ts'
import { makeFiller } from './filler.ts'

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
const CHANNELS = 3
/** Of a colour: a gradient with so much noise compresses about as little as a photograph. */
const NOISE = 24

/** '512x512', '8x400': two whole numbers of at least 1, and at most `most` together. */
export function sizePair(text: string, what: string, most: number): Result<[number, number]> {
  const [, first, second] = /^(\d{1,7})x(\d{1,7})$/.exec(text) ?? []
  const pair: [number, number] = [Number(first), Number(second)]
  if (!pair.every((side) => side >= 1)) return failure(`'${text}' is not ${what}`)
  return pair[0] * pair[1] <= most
    ? success(pair)
    : failure(`'${text}' is too large: at most ${formatNumber(most)} together`)
}

/** A valid PNG (RFC 2083) of colours that no two images share, as a data URL. */
export function imageUrl(width: number, height: number, number: number): string {
  const random = randomFrom(`${width}x${height}/${number}`)
  const tint = Array.from({ length: CHANNELS }, () => Math.floor(random() * 128))
  const rows = Buffer.alloc(height * (1 + width * CHANNELS))
  for (let y = 0, at = 0; y < height; y++) {
    // A row begins with its filter: none.
    at++
    for (let x = 0; x < width; x++) {
      const shade = Math.floor((64 * (x + y)) / (width + height))
      for (const channel of tint) rows[at++] = channel + shade + Math.floor(random() * NOISE)
    }
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  // Eight bits a channel, red, green and blue.
  header.set([8, 2], 8)
  const png = [SIGNATURE, chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]
  return `data:image/png;base64,${Buffer.concat(png).toString('base64')}`
}

function chunk(type: string, data: Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  check.writeUInt32BE(crc32(named))
  return Buffer.concat([length, named, check])
}

/** Of a tool, what its name and its parameters take beside the description. */
const TOOL_TOKENS = 60

/** So many functions that a model may call, each of about so many tokens. */
export function toolDefinitions(count: number, tokens: number): JsonObject[] {
  const filler = makeFiller('tools')
  return Array.from({ length: count }, (_, number) => ({
    type: 'function',
    function: {
      name: `tool_${number + 1}`,
      description: filler.text(Math.max(1, tokens - TOOL_TOKENS), number / count),
      parameters: {
        type: 'object',
        properties: {
          query: { type: 'string', description: 'What to look for.' },
          limit: { type: 'integer', minimum: 1, description: 'How many results to return at most.' },
        },
        required: ['query'],
        additionalProperties: false,
      },
    },
  }))
}

/** A JSON Schema, or the whole of what `response_format` holds for one. */
export function responseFormat(given: JsonObject): JsonObject {
  const whole = 'schema' in given && typeof given.name === 'string'
  return { type: 'json_schema', json_schema: whole ? given : { name: 'answer', strict: true, schema: given } }
}
