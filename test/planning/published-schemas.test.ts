// The golden manifests against the JSON Schemas that Kubernetes publishes, strictly: an unknown key is an error. The
// schemas come with a validator of PyPI, installed into a folder of its own; where there is no Python, or PyPI cannot
// be reached, the tests are skipped.
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Found, findPeer } from '../setup/peers/find.ts'
import { tempDir } from '../support/temp-dir.ts'

const run = promisify(execFile)
const golden = (target: string) => fileURLToPath(new URL(`../../fixtures/manifests/${target}/`, import.meta.url))

let validator: Found
beforeAll(async () => {
  validator = await findPeer('kubernetes-validate')
})

async function problemsOf(files: string[]): Promise<string> {
  if (!validator.ok) throw new Error(validator.why)
  const { command, args, env } = validator.program
  return run(command, [...args, '--strict', '--quiet', ...files], { env }).then(
    ({ stderr }) => stderr,
    ({ stdout, stderr }) => `${stdout}${stderr}`,
  )
}

describe('manifests hold the schemas of Kubernetes', () => {
  // A ScaledObject is KEDA's, and no schema of Kubernetes.
  test.for(['kubernetes', 'keda', 'fleet', 'fleet-realtime'])('%s', async (target, { skip }) => {
    if (!validator.ok) skip(validator.why)
    const files = readdirSync(golden(target)).filter((file) => file !== 'scaledobject.yaml')
    expect(files.length).toBeGreaterThan(2)
    expect(await problemsOf(files.map((file) => golden(target) + file))).toBe('')
  })

  test('an unknown key does not', async ({ skip }) => {
    if (!validator.ok) skip(validator.why)
    const dir = tempDir()
    const text = readFileSync(`${golden('kubernetes')}deployment.yaml`, 'utf8')
    writeFileSync(dir.file('deployment.yaml'), text.replace('strategy:', 'strategyy:'))
    expect(await problemsOf([dir.file('deployment.yaml')])).toContain("'strategyy' was unexpected")
    dir.remove()
  })
})
