/**
 * Where bytes are read into. The system writes into one buffer of the thread (`landing`), from which they are copied at
 * their true length: a stream would set 64 KiB aside for every read. Copies of small reads are left to the garbage
 * collector. Those of large reads are lent and come back: tens of kilobytes an answer would make the collector go
 * through the whole heap ten times a second.
 */
const READ_BYTES = 65_536
/** Copies from this size on are lent. */
const LARGE_BYTES = 4_096
/** More buffers than are waiting at once in most runs; beyond it they are left to the collector. */
const MOST_SPARE = 64

/** The buffer that the system writes into; the next read of any connection overwrites it. */
export const landing = Buffer.allocUnsafeSlow(READ_BYTES)

const spare: ArrayBuffer[] = []

/** A copy of the first `bytes` of the landing. */
export function keep(bytes: number): Buffer {
  const kept =
    bytes < LARGE_BYTES ? Buffer.allocUnsafe(bytes) : Buffer.from(spare.pop() ?? new ArrayBuffer(READ_BYTES), 0, bytes)
  landing.copy(kept, 0, 0, bytes)
  return kept
}

/** Whether a copy made by keep() comes back. */
export function isLent(kept: Buffer): boolean {
  return kept.length >= LARGE_BYTES
}

/** Takes lent copies back: nobody holds any part of them any more. */
export function giveBack(kept: Buffer[]): void {
  for (const { buffer } of kept) if (spare.length < MOST_SPARE) spare.push(buffer as ArrayBuffer)
  kept.length = 0
}
