import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * Of kt as a whole: it is packed and installed, other programs are fetched and measured, V8 is waited for, every core
 * is taken, runs of many seconds follow each other, millions of requests are simulated one by one.
 */
const SYSTEM = [
  'test/bench/gateways.test.ts',
  'test/commands/bench-{abort,answers,live,load,pairs,realtime,replay}.test.ts',
  'test/commands/bench-{retry-after,run,soak,steadiness,sweep-until,validate}.test.ts',
  'test/commands/provider-record.test.ts',
  'test/bench/{cache-hits,learned-field}.test.ts',
  'test/e2e/**/*.test.ts',
  'test/house/install.test.ts',
  'test/load/fleet/{faults,fleet,hosts,hosts-run,replay}.test.ts',
  'test/load/realtime-busy.test.ts',
  'test/plan/simulation-events.test.ts',
  'test/planning/published-schemas.test.ts',
  'test/system/heap.test.ts',
  'test/workload/datasets/memory.test.ts',
]

/** Minutes of starting programs, of which the field trial of .ci/run starts the half. */
const GATEWAYS = ['test/e2e/example-gateways.test.ts']

/** Error rates by simulation: some runs among the others, up to ten times as many here. */
const SIMULATIONS = [
  'test/stats/starvation-simulation.test.ts',
  'test/doctor/*-simulation.test.ts',
  'test/plan/*-simulation.test.ts',
  'test/verdict/*-simulation.test.ts',
]

/**
 * Floors of coverage, in percent of the lines of a room, some points under what is there. Only what tests run in their
 * own process is counted: a room whose tests start kt, a gateway or a thread shows less than they reach, and that of
 * the commands nothing.
 */
const FLOORS = {
  'reference-gateway': 86,
  'src/api': 80,
  'src/bench': 28,
  'src/cli': 20,
  'src/client': 86,
  'src/doctor': 81,
  'src/exports': 60,
  'src/fit': 80,
  'src/gateway-cli': 5,
  'src/http1': 86,
  'src/imports': 80,
  'src/load': 68,
  'src/manifests': 80,
  'src/output': 25,
  'src/overhead': 89,
  'src/page': 40,
  'src/parse': 88,
  'src/plan': 83,
  'src/planning': 77,
  'src/plots': 55,
  'src/provider': 88,
  'src/report': 80,
  'src/schedule': 86,
  'src/slo': 88,
  'src/stats': 88,
  'src/system': 26,
  'src/verdict': 66,
  'src/watch': 70,
  'src/wire': 88,
  'src/workload': 88,
}

/** What V8 has compiled for sending threads and processes of kt: hundreds of them start, each with the same modules. */
const COMPILED = { NODE_COMPILE_CACHE: fileURLToPath(new URL('.cache/compiled', import.meta.url)) }

/**
 * Where it knows no durations, as on a new machine, vitest begins with the largest files. Those of the examples are the
 * smallest and run longest: one that comes last keeps a worker for minutes, and leaves the other one nothing to do.
 */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification): boolean => moduleId.includes('/test/e2e/examples/')
    const [long = [], others = []] = [true, false].map((wanted) => files.filter((file) => isLong(file) === wanted))
    return [...long, ...(await super.sort(others))]
  }
}

export default defineConfig({
  test: {
    env: COMPILED,
    projects: [
      { extends: true, test: { name: 'rooms', include: ['test/**/*.test.ts'], exclude: [...SYSTEM, ...GATEWAYS] } },
      {
        extends: true,
        test: {
          name: 'system',
          include: [...SYSTEM, ...SIMULATIONS],
          exclude: GATEWAYS,
          env: { KT_SIMULATION_FACTOR: '10' },
        },
      },
      { extends: true, test: { name: 'gateways', include: GATEWAYS } },
    ],
    // For what hangs. How long a test takes depends on what else the machine does, and proves nothing.
    // Commands that run within the test are heard where they write.
    disableConsoleIntercept: true,
    testTimeout: 180_000,
    expect: { poll: { timeout: 60_000 } },
    hookTimeout: 300_000,
    // Timing classifications are made on two cores: more files at once would make the machine the thing measured.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    // A shared machine can stall a real socket for longer than any margin: there a test must fail twice to have failed.
    retry: process.env.CI ? 1 : 0,
    coverage: {
      provider: 'v8',
      reporter: ['text-summary', 'json-summary'],
      reportOnFailure: true,
      reportsDirectory: '.cache/coverage',
      include: ['src/**/*.ts', 'reference-gateway/**/*.ts'],
      thresholds: Object.fromEntries(Object.entries(FLOORS).map(([room, lines]) => [`${room}/**`, { lines }])),
    },
  },
})
