/** The contract `kt.plan.simulation/1`, what `kt plan simulate --json` prints. */
import { z } from 'zod'
import { count, formatName } from './fields.ts'
import { positive, rate, whole } from './plan-fields.ts'

const estimate = z.strictObject({
  value: rate.describe('of all runs together'),
  low: rate.optional().describe('lower end of its 95 % interval over the runs'),
  high: rate.optional().describe('upper end'),
})
const peak = rate.describe('highest share that was used')

const optionsSchema = z
  .strictObject({
    requestS: rate.describe('CPU seconds of a request by itself'),
    inputTokenS: rate.describe('CPU seconds of an input token'),
    outputTokenS: rate.describe('CPU seconds of an output token'),
    tokensPerSecPerStream: positive.describe('tokens a second of a stream'),
    ttftS: rate.describe('time to first token'),
    workers: whole.describe('workers at the start'),
    zones: whole.describe('zones'),
    zoneLoss: z
      .strictObject({
        atS: rate.describe('when'),
        forS: rate.describe('for how long'),
        zones: whole.describe('how many'),
      })
      .optional()
      .describe('zones that are lost'),
    autoscaler: z
      .strictObject({
        target: positive.describe('busy share that it aims at'),
        min: whole.describe('fewest workers'),
        max: whole.describe('most workers'),
        startLagS: rate.describe('time until a new worker serves'),
        drainS: rate.describe('how long a removed worker still carries its streams'),
      })
      .optional()
      .describe('the autoscaler, where there is one'),
    limits: z
      .strictObject({
        nodes: whole.describe('nodes'),
        workersPerNode: whole.describe('workers that fit on one'),
        bytesPerSec: positive.describe('bandwidth of one in each direction'),
        inputBytesPerToken: rate.describe('bytes of an input token'),
        outputBytesPerToken: rate.describe('bytes of an output token'),
        missShare: rate.describe('share of requests that the cache does not answer'),
        memoryBytes: positive.describe('memory of a node for pods'),
        baseBytesPerWorker: rate.describe('memory of a worker'),
        bytesPerRequest: rate.describe('memory of a request in flight: its stream and its body'),
        mostOpen: positive.describe('requests that a worker may have in flight by its connections'),
      })
      .optional()
      .describe('what a node carries'),
    budget: whole.describe('most requests that are simulated one by one'),
    seed: z.int().describe('the first of the seeds'),
  })
  .describe('the fleet that was simulated')

export const simulationSchema = z
  .strictObject({
    schema: formatName('kt.plan.simulation/1'),
    traffic: z.string().describe('where the traffic comes from'),
    options: optionsSchema,
    node: z.string().describe('type of the machines'),
    result: z
      .strictObject({
        requests: rate.describe('requests of the traffic'),
        simulatedWorkers: whole.describe('workers that were simulated request by request'),
        seconds: whole.describe('length of the traffic'),
        peakUtilisation: rate.describe('busiest second, as a share of the workers'),
        meanUtilisation: rate.describe('mean over all seconds'),
        overloadedS: count.describe('seconds with more work than workers'),
        peakInFlight: rate.describe('most requests in flight'),
        brokenStreams: rate.describe('streams that broke off with a lost zone'),
        workers: z
          .strictObject({
            min: rate.describe('fewest'),
            max: rate.describe('most'),
            hours: rate.describe('hours of a worker, summed'),
          })
          .describe('workers over the time'),
        limits: z
          .strictObject({
            network: z
              .strictObject({
                peak,
                overS: rate.describe('seconds above the bandwidth'),
                delayMs: rate.describe('longest that a byte waited for it'),
              })
              .describe("of a node's bandwidth"),
            memory: z.strictObject({ peak }).describe("of a node's memory"),
            connections: z
              .strictObject({ peak, refusedShare: rate.describe('share of requests that found none') })
              .describe("of a worker's connections"),
          })
          .optional()
          .describe('what the nodes carried at most in any run'),
        seeds: z.array(z.int()).describe('a run for each'),
        simulatedRequests: count.describe('requests that were simulated one by one, in all runs'),
        wait: z
          .strictObject({
            p50Ms: estimate.describe('median'),
            p99Ms: estimate.describe('99th percentile'),
            p999Ms: estimate.describe('99.9th percentile'),
            meanMs: estimate.describe('mean'),
            maxMs: rate.describe('longest'),
          })
          .describe('how long requests waited for their worker'),
      })
      .describe('what came of it'),
  })
  .describe('kt plan simulate: the planned fleet under traffic')

export type SimulationJson = z.infer<typeof simulationSchema>
