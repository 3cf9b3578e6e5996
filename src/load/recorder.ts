/**
 * Records what the requests of one arm did: histograms over the run and by block, outcomes, tokens, and overhead by
 * each definition. The cost of a request is O(1), and memory does not grow with the run. Plain data comes out
 * (`ArmRecord`), fit to cross a thread.
 */
import type { RequestResult } from '../client/request-result.ts'
import { readCacheVerdict } from '../overhead/cache-status.ts'
import { SelfReportedRecorder } from '../overhead/self-reported.ts'
import { stampedOverhead } from '../overhead/stamped.ts'
import type { TokenDelays } from '../overhead/token-delays.ts'
import { DEFAULT_BLOCKS } from '../schedule/blocks.ts'
import type { Category } from '../slo/category.ts'
import { isBlockMetric, METRIC_NAMES, METRICS, type Metric } from '../slo/metrics.ts'
import { Histogram } from '../stats/histogram.ts'
import { addToTrend, emptyTrend } from '../stats/trend.ts'
import type { Outcome } from '../wire/outcome.ts'
import type { Stamp } from '../wire/stamp.ts'
import { AbortWatch } from './abort-watch.ts'
import { AnswerNotesRecorder } from './answer-notes.ts'
import { AnswerSample } from './answer-sampler.ts'
import type { ArmRecord, Counts } from './arm-record.ts'
import { CacheRecorder } from './cache-recorder.ts'
import { type CancelableRequest, CancelRecorder } from './cancellation.ts'
import { CategoryRecorder } from './category-recorder.ts'
import { ComparedAnswers } from './compared-answers.ts'
import { ConversationRecorder } from './conversation-recorder.ts'
import { FailedWarmup } from './failed-warmup.ts'
import { GroupRecorder } from './group-recorder.ts'
import { type LiveBlock, LiveBlocks, record } from './live-blocks.ts'
import { BLOCK_SAMPLES, GAP_SAMPLES, RUN_SAMPLES } from './metric-samples.ts'
import type { RunPlan } from './plan.ts'
import { ReplayRecorder } from './replay-recorder.ts'
import { TokenCounter, type TokensSpent } from './token-counter.ts'
import { Hold } from './told-waits.ts'

/** The block and the category that a request counts in, and when its tokens came. */
interface CountedIn {
  block: number
  category: number
  /** Its place among the models of the workload. */
  model?: number | undefined
  /** It repeats a request that was sent before the run. */
  repeats?: boolean
  delays?: TokenDelays
}

/** A request whose tokens are coming. */
interface Streaming {
  nonce: string
  block: number
  delays: TokenDelays
  repeats?: boolean
}

/** A request of an open loop. */
interface ScheduledRequest {
  askedInput: number
  askedOutput: number
  released: { dueUs: number; intendedUs: number }
  session: { turn: number } | undefined
}

/** What is recorded only where a run asks for it. */
type Extras = Partial<Pick<RunPlan, 'compareAnswers' | 'abortOn' | 'doubtful' | 'workload' | 'load'>>

export class ArmRecorder {
  readonly name: string
  activeUs = 0
  dueUs = 0
  lateUs = 0
  readonly trend = emptyTrend()
  sent = 0
  done = 0
  failed = 0
  mostInFlight = 0
  /** The sum of the times of all requests; divided by the time under load it is the mean number in flight. */
  inFlightUs = 0
  cutOff = 0
  readonly hold = new Hold()
  readonly canceled = new CancelRecorder()
  readonly conversations: ConversationRecorder | undefined
  readonly warmup = { sent: 0, failed: 0 }
  readonly failedWarmup: FailedWarmup
  /** The first request of each connection in a block: the connection was idle while the other arm ran. */
  readonly idleFirst = { sent: 0, failed: 0 }
  readonly outcomes: Counts = {}
  readonly #details: Partial<Record<Outcome, string>> = {}
  /** The metrics that are not recorded by block. */
  readonly #metrics: Partial<Record<Metric, Histogram>> = {}
  readonly #stamped = {
    perToken: new Histogram(),
    unattributed: new Histogram(),
    cacheHits: 0,
    retried: 0,
  }
  readonly #self = new SelfReportedRecorder()
  readonly #tokens = new TokenCounter()
  readonly #notes = new AnswerNotesRecorder()
  readonly blocks = new LiveBlocks()
  readonly #categories: CategoryRecorder
  readonly #compared: ComparedAnswers | undefined
  /** Where the run asks for several models. */
  readonly #models: GroupRecorder | undefined
  /** Where requests repeat others. */
  readonly #cache: CacheRecorder | undefined
  readonly abort: AbortWatch | undefined
  /** Of a trace: how late its rows left, and what their answers were asked for. */
  readonly replay: ReplayRecorder | undefined
  #bodyBytes = 0
  #reused = 0

  constructor(name: string, categories: readonly Category[] = [], extras: Extras = {}) {
    const { compareAnswers, abortOn, doubtful, workload, load } = extras
    this.conversations = workload?.conversations ? new ConversationRecorder() : undefined
    this.name = name
    this.#cache = workload?.repeats ? new CacheRecorder() : undefined
    this.#models = workload?.models ? new GroupRecorder(workload.models.length) : undefined
    this.replay = load?.mode === 'open' && load.trace ? new ReplayRecorder() : undefined
    this.abort = abortOn?.length ? new AbortWatch(abortOn) : undefined
    this.#compared = compareAnswers ? new ComparedAnswers() : undefined
    this.#categories = new CategoryRecorder(categories)
    this.failedWarmup = new FailedWarmup(doubtful)
  }

  /** By all requests, the excluded ones too. */
  get tokensSpent(): TokensSpent {
    return this.#tokens.spent
  }

  /** A measured request was released. */
  released(block: number, atUs: number, category: number): void {
    this.sent++
    this.blocks.at(block, atUs).sent++
    this.#categories.released(category, block)
  }

  /** A measured request that was released is taken back, because the user's interrupt cut it off. */
  cut(block: number, category: number): void {
    this.cutOff++
    this.sent--
    const live = this.blocks.known(block)
    if (live) live.sent--
    this.#categories.cut(category, block)
  }

  /** Collects the answer of request `index`, if it is one of those to be kept. */
  sampleAnswer(index: number): AnswerSample | undefined {
    const sample = this.#tokens.sampleAnswer(index)
    return sample ?? (this.#compared?.wants(index) ? new AnswerSample(index, false) : undefined)
  }

  /** A token-bearing event of the request with `nonce` came. */
  token(
    { nonce, block: index, delays, repeats }: Streaming,
    sinceSentUs: number,
    gapUs: number,
    stamp: Stamp | undefined,
  ): void {
    const block = this.blocks.known(index)
    if (block) for (const { metric, read } of GAP_SAMPLES) record(metric, read(gapUs), block.metrics)
    // A stamp of the first time may come from a cache.
    if (stamp?.nonce !== nonce || stamp.attempt !== 1 || repeats) return
    this.#stamped.perToken.record(sinceSentUs - stamp.providerUs)
    delays.add(sinceSentUs, stamp.providerUs)
  }

  /** A measured request has ended. */
  ended(result: RequestResult, intendedUs: number, nonce: string, countedIn: CountedIn, sample?: AnswerSample): void {
    const { block: blockIndex, category } = countedIn
    this.#categories.ended(category, blockIndex, result, intendedUs)
    const block = this.blocks.at(blockIndex, intendedUs)
    const { outcome } = result
    this.done++
    if (result.endUs > block.endedAtUs) block.endedAtUs = result.endUs
    this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1
    block.outcomes[outcome] = (block.outcomes[outcome] ?? 0) + 1
    this.#bodyBytes += result.bodyBytes
    if (result.reused) this.#reused++
    for (const { metric, counts, read } of BLOCK_SAMPLES) {
      if (counts(result)) record(metric, read(result, intendedUs), block.metrics)
    }
    for (const { metric, counts, read } of RUN_SAMPLES) {
      if (counts(result)) record(metric, read(result, intendedUs), this.#metrics)
    }
    this.abort?.ended(result, intendedUs)
    this.#tokens.count(result, sample?.forTokens ? sample : undefined)
    if (outcome !== 'OK') {
      this.failed++
      this.#details[outcome] ??= result.detail
      this.#models?.ended(countedIn.model ?? -1, result, intendedUs, Number.NaN)
      this.#cache?.failed(result, intendedUs)
      return
    }
    this.#notes.answered(result)
    if (sample) this.#compared?.add(sample, result, blockIndex)
    const isHit = this.#cache !== undefined && this.#isHit(this.#cache, result, nonce, countedIn.repeats)
    if (isHit) this.#stamped.cacheHits++
    const overheadUs = isHit ? Number.NaN : this.#recordOverhead(result, nonce, block, countedIn)
    this.#models?.ended(countedIn.model ?? -1, result, intendedUs, overheadUs)
    if (isHit) this.#cache?.hit(result, intendedUs)
    else this.#cache?.missed(result, intendedUs, overheadUs)
  }

  toRecord(): ArmRecord {
    return {
      name: this.name,
      outcomes: this.outcomes,
      details: this.#details,
      warmup: this.warmup,
      idleFirst: this.idleFirst,
      metrics: Object.fromEntries(
        METRIC_NAMES.map((metric) => {
          const { digits } = METRICS[metric]
          return isBlockMetric(metric)
            ? [metric, this.blocks.over(digits, ({ metrics }) => metrics[metric])]
            : [metric, (this.#metrics[metric] ?? new Histogram(digits)).pack()]
        }),
      ) as ArmRecord['metrics'],
      stamped: {
        ...this.#stamped,
        total: this.blocks.over(3, ({ stamped }) => stamped),
        perToken: this.#stamped.perToken.pack(),
        unattributed: this.#stamped.unattributed.pack(),
      },
      selfReport: this.#self.toRecord(),
      tokens: this.#tokens.toRecord(),
      notes: this.#notes.toRecord(),
      bodyBytes: this.#bodyBytes,
      reused: this.#reused,
      activeUs: this.activeUs,
      dueUs: this.dueUs,
      lateUs: this.lateUs,
      trend: this.trend,
      mostInFlight: this.mostInFlight,
      inFlightUs: this.inFlightUs,
      tokensSpent: this.tokensSpent,
      cutOff: this.cutOff,
      canceled: this.canceled.toRecord(),
      blocks: this.blocks.toRecords(),
      categories: this.#categories.toRecord(),
      told: this.hold.told,
      compared: this.#compared?.toRecord(),
      conversations: this.conversations?.toRecord(),
      models: this.#models?.toRecords(),
      cache: this.#cache?.toRecord(),
      replay: this.replay?.toRecord(),
    }
  }

  /** A hit is in no reading of the overhead but its own. */
  #isHit(cache: CacheRecorder, result: RequestResult, nonce: string, repeats = false): boolean {
    const verdict = readCacheVerdict(result, nonce, repeats)
    cache.told(verdict, repeats)
    return verdict.hit
  }

  /** What the gateway added by its best reading; NaN where nothing tells it. */
  #recordOverhead(result: RequestResult, nonce: string, block: LiveBlock, { delays, repeats }: CountedIn): number {
    const stamped = stampedOverhead(result, nonce, repeats)
    switch (stamped.kind) {
      case 'overhead':
        block.stamped.record(stamped.us)
        // A stream some of whose tokens bear no stamp of its own does not tell which of them was held.
        if (delays && delays.count > 0 && delays.count === result.tokenEvents) {
          delays.split(stamped.us, (delayUs, holdUs, index) => {
            record(index === 0 ? 'addedTtft' : 'addedPerToken', delayUs, block.metrics)
            record('hold', holdUs, block.metrics)
          })
        }
        break
      case 'cache-hit':
        this.#stamped.cacheHits++
        break
      case 'retried':
        this.#stamped.retried++
        break
      case 'none':
        break
      default:
        stamped satisfies never
    }
    const ownUs = this.#self.record(result, result.streamed, block)
    if (stamped.kind !== 'overhead') return ownUs ?? Number.NaN
    if (ownUs !== undefined) this.#stamped.unattributed.record(stamped.us - ownUs)
    return stamped.us
  }

  /** An excluded request has ended: it is in no figure, but its tokens are spent. */
  excluded(result: RequestResult, as: 'warmup' | 'idleFirst'): void {
    if (result.outcome !== 'OK') this[as].failed++
    if (as === 'warmup') this.failedWarmup.ended(result)
    this.#tokens.spend(result)
  }

  /** A request that was drawn to be left has ended: it is in no figure of the target, but its tokens are spent. */
  leftEarly(request: CancelableRequest, result: RequestResult): void {
    this.inFlightUs += result.endUs - request.slot.dispatchedUs
    this.#tokens.spend(result)
    this.canceled.ended(request, result)
  }

  /** Open loop: a request that left so late has ended. */
  endedOnSchedule(request: ScheduledRequest, result: RequestResult, lateUs: number): void {
    this.replay?.left(lateUs)
    if (result.outcome !== 'OK') return
    this.replay?.answered(request.askedInput, request.askedOutput)
    const { dueUs, intendedUs } = request.released
    if (!request.session?.turn) addToTrend(this.trend, dueUs / 1e6, (result.endUs - intendedUs) / 1e6)
  }

  /** Where every request of the warm-up failed, they become those that were measured; true then. */
  takeFailedWarmup(startUs: number, endUs: number): boolean {
    const failures = this.failedWarmup.take()
    const blocks = Math.min(DEFAULT_BLOCKS, failures.length)
    for (const [i, result] of failures.entries()) {
      const block = Math.floor((i * blocks) / failures.length)
      this.released(block, startUs, 0)
      this.ended(result, startUs, '', { block, category: 0 })
    }
    if (failures.length === 0) return false
    this.activeUs += endUs - startUs
    this.warmup.sent = 0
    this.warmup.failed = 0
    return true
  }
}
