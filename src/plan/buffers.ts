/**
 * Body and buffer sizes for a kind of traffic, and the memory they cost. A body larger than the buffer spills to disk,
 * and plugins that read it fail; one larger than the allowed maximum is refused with 413. At 1,000 concurrent requests
 * +1 MB of buffer is about +1 GB (Kong, large payloads).
 */
import type { BufferProfile, Sizing } from './sizing.ts'

export interface BufferPlan {
  profile: BufferProfile
  bodyBytes: number
  bufferBytes: number
  concurrency: number
  /** What the buffers hold if every request fills them; what they hold at the mean prompt, where that is known. */
  memory: { fullBytes: number; meanBytes: number | undefined }
  workers: number
  fullBytesPerWorker: number
}

/** The profile that a prompt of this size belongs to; undefined beyond the largest, whose row has its upper end too. */
export function bufferProfileFor(promptBytes: number, { buffers: { profiles } }: Sizing): BufferProfile | undefined {
  const within = profiles.find(
    (profile) => promptBytes >= profile.promptFromBytes && promptBytes < profile.promptBelowBytes,
  )
  const last = profiles.at(-1)
  return within ?? (promptBytes === last?.promptBelowBytes ? last : undefined)
}

/** JSON around a prompt, and what it escapes in it. */
const JSON_AROUND = 1.1
const STEP = 128 * 1024

/**
 * Takes the upper end of the profile's ranges, and more where the largest prompt needs it: a buffer beside a prompt
 * that spills out of it would be no answer.
 */
export function planBuffers(
  profile: BufferProfile,
  concurrency: number,
  workers: number,
  sizes: { meanBodyBytes?: number | undefined; largestPromptBytes?: number | undefined } = {},
): BufferPlan {
  const { meanBodyBytes, largestPromptBytes = 0 } = sizes
  const held = Math.ceil((largestPromptBytes * JSON_AROUND) / STEP) * STEP
  const bufferBytes = Math.max(profile.buffer.maxBytes, held)
  const fullBytes = concurrency * bufferBytes
  return {
    profile,
    bodyBytes: Math.max(profile.body.maxBytes, held),
    bufferBytes,
    concurrency,
    memory: {
      fullBytes,
      meanBytes: meanBodyBytes === undefined ? undefined : concurrency * Math.min(meanBodyBytes, bufferBytes),
    },
    workers,
    fullBytesPerWorker: fullBytes / workers,
  }
}

/**
 * What Kong's AI plugins read of a body, a setting of each of them (`max_request_body_size`): 8 KiB by default, in
 * newer versions 1 MiB, whatever nginx lets in.
 */
export function kongPluginConfig({ bodyBytes }: Pick<BufferPlan, 'bodyBytes'>): { max_request_body_size: number } {
  return { max_request_body_size: bodyBytes }
}

/** As nginx and Kong write sizes: '512k', '4m'. */
function nginxSize(bytes: number): string {
  const mib = bytes / 1024 ** 2
  return Number.isInteger(mib) ? `${mib}m` : `${Math.ceil(bytes / 1024)}k`
}

export function kongDirectives({
  bodyBytes,
  bufferBytes,
}: Pick<BufferPlan, 'bodyBytes' | 'bufferBytes'>): Record<string, string> {
  return {
    nginx_http_client_max_body_size: nginxSize(bodyBytes),
    nginx_http_client_body_buffer_size: nginxSize(bufferBytes),
  }
}
