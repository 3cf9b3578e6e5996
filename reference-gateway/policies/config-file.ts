/** The keys `policies` and `gateway.streaming` of the config file. */
import { z } from 'zod'
import { bytes, duration, NOT_YET } from '../config-values.ts'

export const policiesFile = z.array(z.unknown()).max(0, `${NOT_YET} policies (leave the list empty)`).default([])

export const streamingFile = z
  .strictObject({
    chunk_buffer: bytes.prefault('4KB'),
    flush_interval: duration.prefault('100ms'),
    passthrough_chunked: z.boolean().default(true),
  })
  .prefault({})
