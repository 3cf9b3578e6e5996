/**
 * The content encodings of answers: gzip, deflate, br and zstd, alone or one over another. A whole body is decoded at
 * its end, a stream as it comes. zlib works in other threads, so a piece that it hands back carries the time at which
 * its bytes arrived. What comes out is bounded: a few kilobytes may hold gigabytes.
 */
import type { Transform } from 'node:stream'
import {
  brotliDecompressSync,
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  zstdDecompressSync,
} from 'node:zlib'
import { failure, type Result, reasonOf, success } from '../errors.ts'

interface Coding {
  name: string
  decodeWhole(bytes: Buffer, limit: { maxOutputLength: number }): Buffer
  /** `first` are the first bytes that it will get. */
  createDecoder(first: Buffer): Transform
}

const MOST_DECODED_BYTES = 64 * 1024 * 1024
const TOO_LARGE = 'more than 64 MiB when decoded'

/** A stream is read as far as it goes: its end mark says whether it is whole, not the encoding's. */
const TO_THE_END = { finishFlush: constants.Z_SYNC_FLUSH }

const gzip: Omit<Coding, 'name'> = { decodeWhole: gunzipSync, createDecoder: () => createGunzip(TO_THE_END) }

const CODINGS: Record<string, Omit<Coding, 'name'>> = {
  gzip,
  'x-gzip': gzip,
  deflate: {
    decodeWhole: (bytes, limit) => (hasZlibHead(bytes) ? inflateSync : inflateRawSync)(bytes, limit),
    createDecoder: (first) => (hasZlibHead(first) ? createInflate : createInflateRaw)(TO_THE_END),
  },
  br: {
    decodeWhole: brotliDecompressSync,
    createDecoder: () => createBrotliDecompress({ finishFlush: constants.BROTLI_OPERATION_FLUSH }),
  },
  zstd: {
    decodeWhole: zstdDecompressSync,
    createDecoder: () => createZstdDecompress({ finishFlush: constants.ZSTD_e_flush }),
  },
}

/** `deflate` is the zlib format, but some servers send the bare data. */
function hasZlibHead(bytes: Buffer): boolean {
  return ((bytes[0] ?? 0) & 0x0f) === 8
}

/** The encodings that a `content-encoding` header names, in the order in which they are taken off. */
export function readContentEncoding(header: string | string[]): Result<Coding[]> {
  const names = String(header)
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'identity')
  const codings: Coding[] = []
  for (const name of names.reverse()) {
    const coding = Object.hasOwn(CODINGS, name) ? CODINGS[name] : undefined
    if (!coding) return failure(`content-encoding: ${name}`)
    codings.push({ name, ...coding })
  }
  return success(codings)
}

export function decodeWhole(codings: readonly Coding[], bytes: Buffer): Result<Buffer> {
  let decoded = bytes
  for (const { name, decodeWhole } of codings) {
    try {
      decoded = decodeWhole(decoded, { maxOutputLength: MOST_DECODED_BYTES })
    } catch (error) {
      return failure(explain(name, error))
    }
  }
  return success(decoded)
}

function explain(name: string, error: unknown): string {
  const tooLarge = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
  return `content-encoding: ${name}: ${tooLarge ? TOO_LARGE : reasonOf(error)}`
}

export interface DecodedListener {
  /** Decoded bytes, and when the encoded ones arrived. */
  piece(bytes: Buffer, atUs: number): void
  /** All has been decoded, or `why` it could not be. Nothing comes after it. */
  ended(why: string | undefined): void
}

/** Decodes a stream as it comes. */
export class StreamDecoder {
  readonly #stages: Stage[] = []
  #listener: DecodedListener | undefined

  constructor(codings: readonly Coding[], listener: DecodedListener) {
    this.#listener = listener
    const fail = (why: string): void => this.#finish(why)
    let next: StageListener = {
      piece: (bytes, atUs) => this.#listener?.piece(bytes, atUs),
      ended: () => this.#finish(undefined),
      failed: fail,
    }
    for (const coding of codings.toReversed()) {
      const stage = new Stage(coding, next)
      this.#stages.unshift(stage)
      next = { piece: (bytes, atUs) => stage.write(bytes, atUs), ended: () => stage.end(), failed: fail }
    }
  }

  write(bytes: Buffer, atUs: number): void {
    this.#stages[0]?.write(bytes, atUs)
  }

  end(): void {
    this.#stages[0]?.end()
  }

  /** Decodes nothing more, and says nothing more. */
  stop(): void {
    this.#listener = undefined
    for (const stage of this.#stages) stage.stop()
  }

  #finish(why: string | undefined): void {
    const listener = this.#listener
    this.stop()
    listener?.ended(why)
  }
}

interface StageListener {
  piece(bytes: Buffer, atUs: number): void
  ended(): void
  failed(why: string): void
}

class Stage {
  readonly #coding: Coding
  readonly #next: StageListener
  #decoder: Transform | undefined
  #stopped = false
  #decodedBytes = 0
  /** When the pieces arrived that are not decoded yet; they are decoded one after another. */
  readonly #arrivedUs: number[] = []
  readonly #pieceDone = (): void => {
    this.#arrivedUs.shift()
  }

  constructor(coding: Coding, next: StageListener) {
    this.#coding = coding
    this.#next = next
  }

  write(bytes: Buffer, atUs: number): void {
    if (this.#stopped || bytes.length === 0) return
    this.#decoder ??= this.#createDecoder(bytes)
    this.#arrivedUs.push(atUs)
    this.#decoder.write(bytes, this.#pieceDone)
  }

  end(): void {
    if (this.#decoder) this.#decoder.end()
    else if (!this.#stopped) this.#next.ended()
  }

  stop(): void {
    this.#stopped = true
    this.#decoder?.destroy()
  }

  #createDecoder(first: Buffer): Transform {
    const { name } = this.#coding
    const decoder = this.#coding.createDecoder(first)
    let atUs = 0
    decoder.on('data', (piece: Buffer) => {
      if (this.#stopped) return
      this.#decodedBytes += piece.length
      atUs = this.#arrivedUs[0] ?? atUs
      if (this.#decodedBytes <= MOST_DECODED_BYTES) this.#next.piece(piece, atUs)
      else this.#next.failed(`content-encoding: ${name}: ${TOO_LARGE}`)
    })
    decoder.on('error', (error) => {
      if (!this.#stopped) this.#next.failed(explain(name, error))
    })
    decoder.on('end', () => {
      if (!this.#stopped) this.#next.ended()
    })
    return decoder
  }
}
