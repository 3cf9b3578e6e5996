/**
 * Where bytes of this thread's connections come in, and the memory in which they are kept until they are read. Small pieces are left to
 * the garbage collector. Large ones are lent and come back: tens of kilobytes an answer, left to it, make it go through the whole heap
 * ten times a second.
 */
const READ_BYTES = 65_536
const LARGE_BYTES = 4_096
/** More than are waiting at once in most runs; the rest is left to the collector. */
const MOST_SPARE = 64

/** What the system writes into; overwritten by the next read of any connection. */
export const landing = Buffer.allocUnsafeSlow(READ_BYTES)
const spare: ArrayBuffer[] = []

/** A copy of the first `bytes` of the landing. */
export function keep(bytes: number): Buffer {
  const kept =
    bytes < LARGE_BYTES ? Buffer.allocUnsafe(bytes) : Buffer.from(spare.pop() ?? new ArrayBuffer(READ_BYTES), 0, bytes)
  landing.copy(kept, 0, 0, bytes)
  return kept
}

/** Whether what keep() gave comes back. */
export function isLent(kept: Buffer): boolean {
  return kept.length >= LARGE_BYTES
}

/** Nobody holds any part of these any more. */
export function giveBack(kept: Buffer[]): void {
  for (const { buffer } of kept) if (spare.length < MOST_SPARE) spare.push(buffer as ArrayBuffer)
  kept.length = 0
}
