import { defineConfig } from 'vitest/config'

/** Of kt as a whole: it is packed and installed, other programs are fetched and measured, V8 is waited for. */
const SYSTEM = [
  'test/e2e/**/*.test.ts',
  'test/house/install.test.ts',
  'test/planning/published-schemas.test.ts',
  'test/system/heap.test.ts',
]

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'rooms', include: ['test/**/*.test.ts'], exclude: SYSTEM } },
      { extends: true, test: { name: 'system', include: SYSTEM } },
    ],
    // For what hangs. How long a test takes depends on what else the machine does, and proves nothing.
    testTimeout: 120_000,
    hookTimeout: 180_000,
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
    },
  },
})
