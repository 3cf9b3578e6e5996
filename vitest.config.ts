import { defineConfig } from 'vitest/config'

/** Of kt as a whole: it is packed and installed, other programs are fetched and measured, V8 is waited for. */
const SYSTEM = [
  'test/e2e/**/*.test.ts',
  'test/house/install.test.ts',
  'test/planning/published-schemas.test.ts',
  'test/system/heap.test.ts',
]

/**
 * Floors of coverage, in percent of the lines of a room, some points under what is there. Only what tests run in their own process
 * is counted: a room whose tests start kt, a gateway or a thread shows less than they reach, and that of the commands nothing.
 */
const FLOORS = {
  'reference-gateway': 93,
  'src/bench': 37,
  'src/client': 93,
  'src/doctor': 88,
  'src/gateway-cli': 15,
  'src/load': 83,
  'src/output': 33,
  'src/overhead': 96,
  'src/parse': 95,
  'src/plan': 90,
  'src/planning': 84,
  'src/provider': 95,
  'src/report': 87,
  'src/schedule': 93,
  'src/slo': 95,
  'src/stats': 95,
  'src/system': 34,
  'src/verdict': 73,
  'src/wire': 95,
  'src/workload': 95,
}

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'rooms', include: ['test/**/*.test.ts'], exclude: SYSTEM } },
      { extends: true, test: { name: 'system', include: SYSTEM } },
    ],
    // For what hangs. How long a test takes depends on what else the machine does, and proves nothing.
    testTimeout: 180_000,
    hookTimeout: 300_000,
    // Timing classifications are made on two cores: more files at once would make the machine the thing measured.
    maxWorkers: 2,
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
