/**
 * The machine that measures, for reports (two reports from different machines are not compared without saying so), and
 * where kt is installed and in which version; the same answer from source and from dist.
 */

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { arch, availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'
import { dirname, join } from 'node:path'

const manifestPath = createRequire(import.meta.url).resolve('#package.json')

/** The folder that holds package.json, bin/ and profiles/. */
const packageRoot = dirname(manifestPath)

const manifest = JSON.parse(readFileSync(manifestPath, 'utf8')) as {
  version: string
  peerDependencies: Readonly<Record<string, string>>
}

export const ktVersion = manifest.version

/** Versions of the packages that kt may find beside it. */
export const peerVersions = manifest.peerDependencies

/** A file that ships with kt: `packaged('profiles', 'budgets.yaml')`. */
export function packaged(...segments: string[]): string {
  return join(packageRoot, ...segments)
}

/** The commit kt was built from, when it runs from a checkout; null when installed. */
export function gitSha(): string | null {
  if (!existsSync(join(packageRoot, '.git'))) return null
  const { status, stdout } = spawnSync('git', ['-C', packageRoot, 'rev-parse', '--short=12', 'HEAD'], {
    encoding: 'utf8',
  })
  return status === 0 ? stdout.trim() : null
}

export interface Machine {
  cpuModel: string
  cores: number
  memoryBytes: number
  /** CPUs the control group may use; null when unlimited or unknown. */
  cgroupCpuQuota: number | null
  kernel: string
  node: string
  undici: string
  container: boolean
  loadAvgBefore: number
}

export function fingerprint(): Machine {
  return {
    cpuModel: cpus()[0]?.model.trim() || 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    cgroupCpuQuota: cgroupCpuQuota(),
    kernel: `${type()} ${release()} ${arch()}`,
    node: process.versions.node,
    undici: undiciVersion(),
    container:
      existsSync('/.dockerenv') ||
      existsSync('/run/.containerenv') ||
      process.env.KUBERNETES_SERVICE_HOST !== undefined,
    loadAvgBefore: loadavg()[0] ?? 0,
  }
}

/** cgroup v2: `max 100000` or `150000 100000`. */
function cgroupCpuQuota(): number | null {
  try {
    const [quota, period] = readFileSync('/sys/fs/cgroup/cpu.max', 'utf8').trim().split(' ')
    return quota === 'max' ? null : Number(quota) / Number(period)
  } catch {
    return null
  }
}

function undiciVersion(): string {
  return String((createRequire(import.meta.url)('undici/package.json') as { version: string }).version)
}
