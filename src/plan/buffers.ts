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

/** The profile that a prompt of this size belongs to; undefined beyond the largest. */
export function bufferProfileFor(promptBytes: number, { buffers }: Sizing): BufferProfile | undefined {
  return buffers.profiles.find(
    (profile) => promptBytes >= profile.promptFromBytes && promptBytes < profile.promptBelowBytes,
  )
}

/** Takes the upper end of the profile's ranges: it holds the largest prompt of its kind. */
export function planBuffers(
  profile: BufferProfile,
  concurrency: number,
  workers: number,
  meanBodyBytes?: number,
): BufferPlan {
  const bufferBytes = profile.buffer.maxBytes
  const fullBytes = concurrency * bufferBytes
  return {
    profile,
    bodyBytes: profile.body.maxBytes,
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
