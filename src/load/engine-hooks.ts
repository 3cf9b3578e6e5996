/** What the engine asks and tells its thread during a run. */
import type { RequestResult } from '../client/request-result.ts'
import type { StopReason } from './limits.ts'
import type { InFlightRequest } from './slot-pool.ts'

export interface EngineHooks {
  /** Called before each load phase, the warm-up too. Resolves to the instant at which the phase begins. */
  begin?(): Promise<number>
  /** The warm-up is over. */
  measuring?(startUs: number): void
  stopped?(reason: StopReason): void
  /** A target told to send nothing to this arm until then, and that is obeyed. */
  held?(arm: number, untilUs: number): void
  /** An arm is dead: nothing more is sent to it. */
  dropped?(arm: number, why: string): void
  /** An interim analysis after `blocks` blocks of each arm. Resolves to whether the run goes on. */
  continueAfter?(blocks: number): Promise<boolean>
  /** A measured request has ended. */
  ended?(request: InFlightRequest, result: RequestResult): void
}
