import type { KnipConfig } from 'knip'

/**
 * With --production, what nothing but tests keeps alive is dead too; an export may then be there for a test of its
 * file's insides.
 */
const isProduction = process.argv.includes('--production')

const config: KnipConfig = {
  entry: [
    'src/commands/**/*.ts!',
    'src/hooks/*.ts!',
    // Named in package.json.
    'src/cli/help.ts!',
    // Started by their path, as threads and processes.
    'src/{load,system,workload/datasets}/*-thread.ts!',
    'reference-gateway/worker.ts!',
    'src/bench/fleet-broker.ts!',
    // Bundled by the build.
    'src/page/browser/main.ts!',
    // Written into fixtures/ by a script.
    'src/api/json-schemas.ts!',
    'test/{bench,demo,gate,setup}/**/*.js',
    // The scripts of examples/gateways/ start it.
    'test/setup/gateway.ts',
    'test/e2e/portkey/three-ways.js',
    'test/support/list-modules.js',
    'test/support/hosts/*-process.ts',
    'test/system/*thread.ts',
  ],
  project: ['bin/**/*.js!', 'src/**/*.ts!', 'reference-gateway/**/*.ts!', 'test/**/*.{ts,js}'],
  // Of the machine.
  ignoreBinaries: [
    'chrt',
    'fish',
    'mkfifo',
    'mount',
    'nsenter',
    'openssl',
    'redis-server',
    'script',
    'setpriv',
    'terraform',
    'umount',
    'unshare',
  ],
  ignoreExportsUsedInFile: isProduction,
}

export default config
