/** The key `gateway.events` of the config file. */
import { z } from 'zod'
import { bytes, duration, headerValue } from '../../src/parse/config-values.ts'

const collector = z.string().refine((text) => {
  const url = URL.parse(text)
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:') && !url.username && !url.password
}, 'an OTLP endpoint is an http(s) URL without credentials (like http://127.0.0.1:4318/v1/traces)')

export const eventsFile = z
  .strictObject({
    /** Unset: on where somebody can read them: an admin port, a file or OTLP. */
    enabled: z.boolean().optional(),
    /** Events kept for readers that are behind; what does not fit is dropped and counted. */
    buffer: z.int().min(16).max(1_048_576).default(8_192),
    file: z
      .strictObject({
        path: z.string().min(1),
        /** Beyond this the file becomes <path>.1, that one <path>.2, ... */
        max_size: bytes.prefault('64MB'),
        /** Rotated files kept. */
        max_files: z.int().min(1).max(100).default(4),
      })
      .optional(),
    otlp: z
      .strictObject({
        /** OTLP over HTTP with JSON, the whole URL. */
        endpoint: collector,
        /** Values may hold references to the environment: `Bearer ${NAME}`. */
        headers: z.record(z.string(), headerValue).default({}),
        service_name: z.string().min(1).default('kt-gateway'),
        timeout: duration.prefault('10s'),
      })
      .optional(),
  })
  .prefault({})

export type EventsConfig = z.output<typeof eventsFile>
export type FileConfig = NonNullable<EventsConfig['file']>
export type OtlpConfig = NonNullable<EventsConfig['otlp']>

/** Events are emitted where they are asked for, or where somebody could read them. */
export function emitsEvents({ events, adminPort }: { events: EventsConfig; adminPort: number | undefined }): boolean {
  return events.enabled ?? (adminPort !== undefined || events.file !== undefined || events.otlp !== undefined)
}
