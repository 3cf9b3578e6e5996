/**
 * The report contract `kt.bench/2`, defined once: the TypeScript types and fixtures/kt.bench.2.schema.json follow
 * from it. Keys are camelCase with the unit in the name. Durations are milliseconds; histograms hold integer
 * microseconds.
 *
 * A report holds what all arms of a run share, and the list of its arms. The first arm is the one that the run is
 * about: SLO and categories are its own. Of several gateways each is judged, and they are ranked. The baseline, where
 * there is one, is marked, and is never the first.
 */
import { z } from 'zod'
import { ARRIVAL_KINDS } from '../schedule/arrivals.ts'
import type { agreementSchema } from './agreement-schema.ts'
import { armSchema, type overheadSchema } from './arm-schema.ts'
import { conversationLoadSchema } from './conversation-schema.ts'
import { costSchema } from './cost-schema.ts'
import {
  clientSchema,
  command,
  commitSchema,
  count,
  type definitionSchema,
  type distributionSchema,
  endpointField,
  formatName,
  histogramSchema,
  ktSchema,
  labelsSchema,
  largest,
  modelField,
  ms,
  type outcomesSchema,
  p50,
  p99,
  startedAt,
  streamField,
  type verdictSchema,
} from './fields.ts'
import { fleetSchema } from './fleet-schema.ts'
import { rankingSchema } from './ranking-schema.ts'
import { replaySchema } from './replay-schema.ts'
import { routesSchema } from './route-schema.ts'
import { soakSchema } from './soak-schema.ts'
import { type checkSchema, gateSchema, interimAnalysesSchema, noiseSchema, sloSchema } from './verdict-schema.ts'
import { processSchema, scrapedSchema } from './watch-schema.ts'
import { sentWorkloadSchema } from './workload-schema.ts'

export const REPORT_SCHEMA = 'kt.bench/2'

export const benchReportSchema = z
  .strictObject({
    schema: formatName(REPORT_SCHEMA),
    kt: ktSchema,
    startedAt,
    command,
    commit: commitSchema.optional(),
    labels: labelsSchema.optional(),
    interrupted: z.boolean().describe('the user ended the run early'),
    aborted: z
      .strictObject({
        rule: z.string().describe('the condition of --abort-on'),
        arm: z.string().describe('name of the arm that met it'),
        requests: count.describe('of this arm when it was sure'),
        over: count.describe('of these, the requests that failed, or were over the limit'),
      })
      .optional()
      .describe('the run was ended early: its figures are those of a part of it'),
    tookS: z
      .number()
      .optional()
      .describe('from the start to the verdict, with warm-up, the other arm, draining and the floor'),
    machine: z
      .strictObject({
        cpuModel: z.string().describe('model of the CPU'),
        cores: count.describe('cores that kt may use'),
        memoryBytes: count.describe('memory of the machine'),
        cgroupCpuQuota: z.number().nullable().describe('CPUs that the control group allows; null: no limit known'),
        kernel: z.string().describe('operating system, its version, architecture'),
        node: z.string().describe('version of Node'),
        undici: z.string().describe('version of the HTTP/2 client'),
        container: z.boolean().describe('whether kt ran in a container'),
        loadAvgBefore: z.number().describe('load average of one minute before the run'),
      })
      .describe('the machine that measured'),
    target: z
      .strictObject({ endpoint: endpointField, model: modelField, stream: streamField })
      .describe('what was asked of every arm'),
    runId: z.string().describe('the same in every report that holds an arm of this run'),
    pairing: z
      .enum(['block', 'request'])
      .optional()
      .describe(
        'how the arms of the run took turns; absent where it had one, present where only one is in this report',
      ),
    arms: z.tuple([armSchema], armSchema).describe('what each arm measured; the run is about the first one'),
    load: z
      .strictObject({
        mode: z.enum(['closed', 'open']).describe('closed: so many in flight; open: so many a second'),
        concurrency: count
          .nullable()
          .describe('requests in flight, of a closed loop; of conversations sessions under way'),
        rps: z
          .number()
          .nullable()
          .describe('requests a second, of an open loop; of conversations new sessions a second'),
        arrival: z.enum(ARRIVAL_KINDS).nullable().describe('how an open loop spreads its requests'),
        burstiness: z.number().optional().describe('shape of gamma arrivals'),
        stages: z
          .array(
            z.strictObject({
              from: z.number().describe('level at its beginning'),
              to: z.number().describe('level at its end'),
              durationS: z.number().describe('how long it takes'),
            }),
          )
          .optional()
          .describe('rps or concurrency is then their highest level'),
        thinkTimeMs: ms.optional().describe('wait between an answer and the next request of a slot'),
        maxInFlight: count.optional().describe('most requests in flight, of an open loop'),
        warmupS: z.number().optional().describe('warm-up by time'),
        coolDownS: z.number().optional().describe('end of the run that is left out of every figure'),
        conversations: conversationLoadSchema.optional(),
        cancel: z
          .strictObject({
            share: z.number().describe('of the requests'),
            afterMs: ms.optional().describe('so long after a request was sent'),
            afterTokens: count.optional().describe('after so many token-bearing events'),
          })
          .optional()
          .describe('clients that left before the end of their answers'),
        drainMs: ms.optional().describe('how long answers were waited for at the end'),
        connectTimeoutMs: ms.optional().describe('limit of opening a connection'),
        firstTokenTimeoutMs: ms.optional().describe('limit of the time to first token'),
        idleTimeoutMs: ms.optional().describe('limit of the silence within a stream'),
        connection: z
          .strictObject({
            http: z.enum(['h1', 'h2']).describe('version of HTTP'),
            keepAlive: z.boolean().describe('whether connections are used again'),
            certificates: z.enum(['system', 'own-ca', 'any']).describe('which certificates are trusted'),
            connections: count.nullable().describe('most connections; null: as many as are needed'),
            clientCertificate: z.literal(true).optional().describe('the client showed a certificate (mutual TLS)'),
            routes: routesSchema.optional(),
          })
          .optional()
          .describe('absent for the default: HTTP/1.1, kept alive, certificates of the system'),
        workers: count.optional().describe('sending threads, where there are several'),
        realtime: z
          .boolean()
          .optional()
          .describe('whether the sending threads, and the servers of an embedded pair, ran under SCHED_FIFO'),
        durationS: z.number().nullable().describe('length that was asked for; null: by requests'),
        requests: count.nullable().describe('requests that were asked for; null: by time'),
        warmup: count.describe('requests of the warm-up'),
        timeoutMs: ms.describe('limit of a whole answer'),
        seed: z.int().describe('the same seed sends the same requests'),
        workload: sentWorkloadSchema,
        options: z
          .record(z.string(), z.unknown())
          .describe('every option of the run, in the form of a config file, without secrets'),
      })
      .describe('when and how requests were sent'),
    series: z
      .array(
        z.strictObject({
          second: count.describe('second of the measurement, from 0'),
          sent: count.describe('requests sent in it'),
          done: count.describe('requests that ended in it'),
          failed: count.describe('of these, the failed ones'),
          inFlight: count.describe('requests in flight at its end'),
          p50: ms.nullable().describe('median latency of those that ended'),
          p99: ms.nullable().describe('99th percentile of their latency'),
        }),
      )
      .describe('of all arms together; empty where only one of several is in this report'),
    processes: z
      .array(processSchema)
      .optional()
      .describe('what --arm-pid watched: CPU and memory of processes of the machine that measured'),
    scraped: z.array(scrapedSchema).optional().describe('what --scrape read from pages of metrics'),
    soak: soakSchema.optional(),
    client: z
      .strictObject({
        verdict: clientSchema,
        why: z.array(z.string()).describe('reasons of the verdict'),
        sendLagMs: z
          .strictObject({ p50, p99, max: largest })
          .nullable()
          .describe('how late requests of an open loop were sent'),
        eventLoopDelayMs: z.strictObject({ p99, max: largest }).describe('how late the event loop woke'),
        eventLoopUtilization: z.number().describe('share of the time in which the busiest sending thread was busy'),
        cpuShare: z.number().describe('CPU of the whole process, in cores'),
        gcMs: ms.describe('time in garbage collection'),
        achievedToOffered: z.number().nullable().describe('rate that was reached over the rate that was asked for'),
        floorMs: z
          .strictObject({
            p50,
            p99,
            source: z.enum(['direct-arm', 'null-upstream']).optional().describe('what it was measured at'),
            count: count.optional().describe('readings'),
            blocks: z
              .array(histogramSchema)
              .optional()
              .describe('blocks of a null upstream; those of a direct arm are its own'),
          })
          .nullable()
          .describe(
            'measurement floor: the stamped reading without a gateway, interleaved with the run or right after it',
          ),
        runtime: z
          .strictObject({
            v8Flags: z.array(z.string()).describe('flags of V8'),
            youngGenerationMb: count.describe('size of the young generation of a sending thread'),
            helperThreadsNice: z.int().nullable().describe("of V8's helper threads; null where none could be lowered"),
            fifoPriority: count.nullable().describe('of the sending threads; null where they are ordinary ones'),
          })
          .optional()
          .describe('what kt set for the engine and the scheduler'),
        throughputLimit: z
          .strictObject({
            by: z.enum(['target', 'client', 'unknown']).describe('what limited it'),
            ownShare: z.number().describe('of the time, in which the busiest sending thread was busy'),
            capacityPerSec: z
              .number()
              .nullable()
              .describe('requests that the sending threads can send, by a probe after the run; null without one'),
          })
          .optional()
          .describe('of a closed loop: where the client was the limit, throughput is at least what is reported'),
        involuntarySwitches: count.nullable().optional().describe('times that the kernel took the core away'),
        throttledMs: ms.nullable().optional().describe("time that the control group's CPU limit held the process"),
        workers: z
          .array(
            z.strictObject({
              eventLoopUtilization: z.number().describe('share of the time in which it was busy'),
              eventLoopDelayP99Ms: ms.describe('99th percentile of how late its event loop woke'),
              gcMs: ms.describe('time in garbage collection'),
            }),
          )
          .optional()
          .describe('each sending thread, where there are several'),
      })
      .describe('kt as a measuring instrument'),
    fleet: fleetSchema.optional(),
    replay: replaySchema.optional(),
    samples: z
      .strictObject({
        written: count.describe('lines in the file'),
        lost: count.describe('requests without a line, because the disk was too slow'),
        error: z.string().nullable().describe('why writing stopped'),
      })
      .optional()
      .describe('lines written for --samples'),
    cost: costSchema
      .nullable()
      .optional()
      .describe('what the tokens of the run cost; null: no price is known; absent where nothing is paid for'),
    ranking: rankingSchema.optional(),
    noise: noiseSchema.optional(),
    interimAnalyses: interimAnalysesSchema.optional(),
    slo: z.array(sloSchema).optional().describe('an entry for each category that was judged'),
    gate: gateSchema.nullable().describe('the verdict on all limits; null where nothing was asked'),
  })
  .refine(
    ({ arms }) => arms.every(({ totals }) => totals.sent === totals.successful + totals.failed),
    'sent is not the sum of the outcomes',
  )
  .refine(({ arms }) => new Set(arms.map(({ name }) => name)).size === arms.length, 'two arms have one name')
  .refine(
    ({ arms: [first, ...others] }) => !first.baseline && others.filter(({ baseline }) => baseline).length <= 1,
    'one arm at most is the baseline, and not the first',
  )

export type BenchReport = z.infer<typeof benchReportSchema>
export type ArmResult = z.infer<typeof armSchema>
/** An arm beside what all arms of its run share: what tables and verdicts read (src/report/runs.ts). */
export interface Run extends Omit<BenchReport, 'arms' | 'ranking'>, Omit<ArmResult, 'baseline'> {
  /** The baseline that the report holds beside this arm. */
  baseline?: Run
}
export type Replay = z.infer<typeof replaySchema>
export type Agreement = z.infer<typeof agreementSchema>
export type Ranking = z.infer<typeof rankingSchema>
export type RunCost = z.infer<typeof costSchema>
export type DurationSummary = z.infer<typeof distributionSchema>
export type OverheadResult = z.infer<typeof overheadSchema>
export type OverheadDefinition = z.infer<typeof definitionSchema>
export type Block = ArmResult['blocks'][number]
export type Outcomes = z.infer<typeof outcomesSchema>
export type Gate = z.infer<typeof gateSchema>
export type SloResult = z.infer<typeof sloSchema>
export type CategoryResult = NonNullable<ArmResult['categories']>[number]
export type Check = z.infer<typeof checkSchema>
export type Verdict = z.infer<typeof verdictSchema>
