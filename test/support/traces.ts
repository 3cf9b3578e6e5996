/** The cuts of recorded traces in fixtures/traces. */
import { fileURLToPath } from 'node:url'

export const azureTrace = (name: 'code' | 'conv'): string =>
  fileURLToPath(new URL(`../../fixtures/traces/azure-${name}-2023.csv`, import.meta.url))

/** A file of fixtures/traces. */
export const traceFixture = (file: string): string =>
  fileURLToPath(new URL(`../../fixtures/traces/${file}`, import.meta.url))
