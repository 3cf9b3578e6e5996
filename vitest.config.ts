import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // For what hangs. How long a test takes depends on what else the machine does, and proves nothing.
    testTimeout: 120_000,
    hookTimeout: 180_000,
    // Timing classifications are made on two cores: more files at once would make the machine the thing measured.
    maxWorkers: 2,
    // A shared machine can stall a real socket for longer than any margin: there a test must fail twice to have failed.
    retry: process.env.CI ? 1 : 0,
  },
})
