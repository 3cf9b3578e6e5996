// The golden manifests against the JSON Schemas that Kubernetes publishes, strictly: an unknown key is an error. The
// schemas come with a validator of PyPI, installed into a folder of its own; where there is no Python, or PyPI cannot
// be reached, the tests are skipped.
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { installFromPyPi } from '../setup/install-once.ts'
import { tempDir } from '../support/temp-dir.ts'

const run = promisify(execFile)
const VALIDATOR = 'kubernetes-validate==1.37.0'
const golden = (target: string) => fileURLToPath(new URL(`../../fixtures/manifests/${target}/`, import.meta.url))

let installed = ''
let missing = ''
beforeAll(async () => {
  try {
    installed = await installFromPyPi(VALIDATOR)
  } catch (error) {
    missing = `no validator: ${error}`
  }
})

async function problemsOf(files: string[]): Promise<string> {
  const args = ['-m', 'kubernetes_validate', '--strict', '--quiet', ...files]
  const env = { ...process.env, PYTHONPATH: installed }
  return run('python3', args, { env }).then(
    ({ stderr }) => stderr,
    ({ stdout, stderr }) => `${stdout}${stderr}`,
  )
}

describe('manifests hold the schemas of Kubernetes', () => {
  // A ScaledObject is KEDA's, and no schema of Kubernetes.
  test.for(['kubernetes', 'keda'])('%s', async (target, { skip }) => {
    if (missing) skip(missing)
    const files = readdirSync(golden(target)).filter((file) => file !== 'scaledobject.yaml')
    expect(files.length).toBeGreaterThan(3)
    expect(await problemsOf(files.map((file) => golden(target) + file))).toBe('')
  })

  test('an unknown key does not', async ({ skip }) => {
    if (missing) skip(missing)
    const dir = tempDir()
    const text = readFileSync(`${golden('kubernetes')}deployment.yaml`, 'utf8')
    writeFileSync(dir.file('deployment.yaml'), text.replace('strategy:', 'strategyy:'))
    expect(await problemsOf([dir.file('deployment.yaml')])).toContain("'strategyy' was unexpected")
    dir.remove()
  })
})
