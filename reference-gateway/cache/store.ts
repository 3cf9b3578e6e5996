/** Where entries are kept. A store never throws and never rejects: what goes wrong is a miss, and counted. */
import type { Maybe } from '../http/stages.ts'
import type { Entry } from './entry.ts'

export interface StoreStats {
  /** Null where that cannot be known now. */
  entries: number | null
  /** Of the bodies and headers; null where the backend keeps no account of it. */
  bytes: number | null
  /** Dropped to make room. */
  evicted: number
  /** Operations of the backend that failed or came too late. */
  errors: number
}

export interface CacheStore {
  /** Whether all processes see the same entries. */
  readonly shared: boolean
  get(key: string, model: string): Maybe<Entry | undefined>
  set(key: string, entry: Entry): Maybe<void>
  /** Forgets everything, or what was asked of `model`. Undefined: the backend could not be asked. */
  clear(model: string | undefined): Maybe<number | undefined>
  stats(): Maybe<StoreStats>
  close(): Maybe<void>
}
