// Where `--output` and its like may lead: '-' and what is no regular file, as a shell's pipes and redirections use it.
import { spawn } from 'node:child_process'
import { lstatSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { httpServer, OK_BODY } from '../support/engine.ts'
import { type Ended, kt, parseBench, startKt } from '../support/kt.ts'
import { makeReport } from '../support/make-report.ts'
import { AT_ONCE, run } from '../support/run-command.ts'
import { canMakeDevices, canMount, mkfifo, mknod, posix, smallDisk } from '../support/special-files.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
const server = await httpServer((request, response) => {
  request.resume().on('end', () => response.end(OK_BODY))
})
afterAll(async () => {
  await server.close()
  dir.remove()
})

const bench = (...args: string[]): string[] => [
  'bench',
  '--url',
  server.origin,
  '--requests',
  '20',
  ...AT_ONCE,
  ...args,
]
const schemaOf = (json: string): string => JSON.parse(json).schema
const bin = fileURLToPath(new URL('../../bin/run.js', import.meta.url))

/** `kt` with `args` as a shell runs it: '"$@"' in the line. */
async function shell(line: string, args: string[]): Promise<Ended> {
  const child = spawn('bash', ['-c', `set -o pipefail; ${line}`, 'bash', process.execPath, bin, ...args], {
    cwd: dir.path,
  })
  const code = new Promise<number | null>((resolve) => child.on('close', resolve))
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { code: await code, stdout, stderr }
}

describe('stdout', () => {
  it("--output '-' has stdout for itself: the tables go to stderr", async () => {
    const { code, stdout, stderr } = await kt(bench('--output', '-'), {}, dir.path)
    expect(code).toBe(0)
    expect(schemaOf(stdout)).toBe('kt.bench/2')
    expect(stderr).toMatch(/Successful:\s+20/)
    expect(readdirSync(dir.path)).not.toContain('-')
  })

  it('--json with it prints the report once, and no table', async () => {
    const { code, stdout, stderr } = await kt(bench('--output', '-', '--json'))
    expect({ code, schema: schemaOf(stdout), stderr }).toEqual({ code: 0, schema: 'kt.bench/2', stderr: '' })
  })

  it('takes the report of a sweep, the samples, JUnit and Markdown as well', async () => {
    const levels = ['--concurrency', '1', '--step', '200ms', '--output', '-']
    const sweep = await run(['bench', 'sweep', '--url', server.origin, ...levels])
    expect({ code: sweep.code, schema: schemaOf(sweep.stdout) }).toEqual({ code: 0, schema: 'kt.sweep/1' })
    expect(sweep.stderr).toContain('Knee')

    const samples = await run(bench('--samples', '-'))
    expect(
      samples.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).outcome),
    ).toEqual(Array(20).fill('OK'))
    expect(samples.stderr).toMatch(/Successful:\s+20/)

    const report = dir.file('judged.json')
    writeFileSync(report, JSON.stringify(makeReport({ requests: 1_000 })))
    const junit = await run(['slo', 'check', report, '--junit', '-', '--inconclusive', 'warn'])
    expect(junit.stdout).toMatch(/^<\?xml [\s\S]*<\/testsuites>\n$/)
    expect(junit.stderr).toContain('chat-short')
    const markdown = await run(['bench', 'compare', report, report, '--no-gate', '--markdown', '-'])
    expect(markdown.stdout).toMatch(/^## kt bench compare/)
    expect(markdown.stderr).toContain('Latency')
  })

  it.each<[string, string[], string]>([
    ['two files', ['--output', '-', '--samples', '/dev/stdout'], '--output and --samples both write to stdout'],
    ['--json and another file', ['--json', '--samples', '-'], '--json and --samples both write to stdout'],
    [
      'arms beside it',
      ['--aa', '--split', '--output', '-'],
      '--split writes files beside --output, and - is not a file',
    ],
  ])('is refused for %s, with exit 2 and before anything is sent', async (_, args, words) => {
    const { code, stdout, stderr } = await run(bench(...args))
    expect(stderr).toContain(words)
    const error = args.includes('--json') ? expect.stringContaining('"exitCode": 2') : ''
    expect({ code, stdout }).toEqual({ code: 2, stdout: error })
  })

  it.skipIf(!posix)('that nobody reads to the end is no error', async () => {
    for (const args of [bench('--output', '-'), ['plan', '--input-peak', '80M', '--output-peak', '10M', '--explain']]) {
      const { code, stdout, stderr } = await shell('"$@" 2>err | head -1; exit $PIPESTATUS', args)
      expect({ code, lines: stdout.trimEnd().split('\n').length, stderr }).toEqual({ code: 0, lines: 1, stderr: '' })
      expect(readFileSync(dir.file('err'), 'utf8')).not.toMatch(/EPIPE|\n\s+at .*:\d+:\d+/)
    }
  })

  it.skipIf(!canMakeDevices)(
    'on a full disk is one sentence and exit 2 (skipped where no device can be made)',
    async () => {
      mknod(dir.file('full'), 'full')
      const { code, stderr } = await shell('"$@" > full', ['plan', '--input-peak', '80M', '--output-peak', '10M'])
      expect(stderr).toMatch(/^kt: cannot write to stdout: no space left on device\n {4}.*\n$/)
      expect(code).toBe(2)
    },
  )

  it.skipIf(!canMakeDevices)(
    'loses nothing to a stderr on a full disk (skipped where no device can be made)',
    async () => {
      mknod(dir.file('full-too'), 'full')
      const { code, stdout } = await shell('"$@" 2> full-too', bench('--json'))
      expect(code).toBe(0)
      expect(parseBench(stdout).totals.failed).toBe(0)
    },
  )
})

describe.skipIf(!posix)('what is no regular file', () => {
  it('is left what it is: a FIFO, a link, an open descriptor, a process substitution', async () => {
    mkfifo(dir.file('fifo'))
    const [ended, got] = await Promise.all([
      run(bench('--output', dir.file('fifo'))),
      open(dir.file('fifo'), 'r').then((file) => text(file.createReadStream())),
    ])
    expect({ code: ended.code, schema: schemaOf(got) }).toEqual({ code: 0, schema: 'kt.bench/2' })
    expect(lstatSync(dir.file('fifo')).isFIFO()).toBe(true)

    symlinkSync('real.json', dir.file('link.json'))
    await run(bench('--output', dir.file('link.json')))
    expect(lstatSync(dir.file('link.json')).isSymbolicLink()).toBe(true)
    expect(schemaOf(readFileSync(dir.file('real.json'), 'utf8'))).toBe('kt.bench/2')

    const appended = await shell('"$@" --output /dev/fd/3 3>>log && cat log', bench('--json'))
    expect(appended.code).toBe(0)
    expect(schemaOf(readFileSync(dir.file('log'), 'utf8'))).toBe('kt.bench/2')
    const piped = await shell('"$@" --output >(cat >&2)', bench('--json'))
    expect(schemaOf(piped.stderr)).toBe('kt.bench/2')
  })

  it('takes samples while they come, too', async () => {
    const fifo = mkfifo(dir.file('samples'))
    const reader = open(fifo, 'r').then((file) => text(file.createReadStream()))
    expect((await run(bench('--samples', fifo))).code).toBe(0)
    expect((await reader).trimEnd().split('\n')).toHaveLength(20)
    expect(lstatSync(fifo).isFIFO()).toBe(true)
  })

  it('a FIFO that nobody reads is waited for, until Ctrl-C', async () => {
    const waiting = startKt(bench('--output', mkfifo(dir.file('alone'))))
    await waiting.said(/waiting for a reader of .*alone/)
    waiting.ctrlC()
    const { code, stdout, stderr } = await waiting.ended
    expect(stderr).toContain('alone: nobody reads it. The result is only in the output of this command.')
    expect(stdout).toMatch(/Successful:\s+20/)
    expect(code).toBe(130)
  })

  it.skipIf(!canMakeDevices)('a device (skipped where none can be made)', async () => {
    mknod(dir.file('null'), 'null')
    expect((await run(bench('--output', dir.file('null'), '--samples', dir.file('null')))).code).toBe(0)
    expect(lstatSync(dir.file('null')).isCharacterDevice()).toBe(true)
  })
})

it.skipIf(!canMount)(
  'a disk that is full after the run: tables and exit 2, the former file whole (skipped where none can be mounted)',
  async () => {
    const disk = smallDisk(dir.file('disk'))
    try {
      const path = dir.file('disk/r.json')
      writeFileSync(path, 'former')
      writeFileSync(dir.file('disk/rest'), 'x'.repeat(4_096))
      const levels = ['--concurrency', '1', '--step', '200ms', '--output', path]
      for (const args of [bench('--output', path), ['bench', 'sweep', '--url', server.origin, ...levels]]) {
        const { code, stdout, stderr } = await run(args)
        expect(stderr).toContain('r.json: no space left. The result is only in the output of this command.')
        expect(stdout).toMatch(/Benchmark Results:|kt bench sweep/)
        expect(code).toBe(2)
        expect(readFileSync(path, 'utf8')).toBe('former')
        expect(readdirSync(dir.file('disk')).sort()).toEqual(['r.json', 'rest'])
      }
    } finally {
      disk.remove()
    }
  },
)

describe.skipIf(!canMount)('what stands beside a result, on a full disk (skipped where none can be mounted)', () => {
  const full = dir.file('full-disk')
  let disk: ReturnType<typeof smallDisk> | undefined
  const on = (name: string): string => join(full, name)
  beforeAll(() => {
    disk = smallDisk(full)
    writeFileSync(on('rest'), 'x'.repeat(8_192))
  })
  afterAll(() => disk?.remove())
  const report = dir.write('beside.json', makeReport({ requests: 1_000 }))
  const unwritten = (name: string): string => `cannot write ${on(name)}: no space left`

  it('a bench says each file in a sentence, writes the others, and ends with exit 2', async () => {
    const files = ['--csv', on('r.csv'), '--openmetrics', on('r.prom'), '--html', on('r.html'), '--junit', on('r.xml')]
    const markdown = dir.file('beside.md')
    const judged = ['--threshold', 'errors.rate<50%', '--markdown', markdown, '--json']
    const { code, stdout, stderr } = await kt(bench(...files, ...judged))
    expect(code).toBe(2)
    expect(schemaOf(stdout)).toBe('kt.bench/2')
    for (const name of ['r.csv', 'r.prom', 'r.html', 'r.xml']) expect(stderr.split(unwritten(name))).toHaveLength(2)
    expect(readFileSync(markdown, 'utf8')).toContain('kt bench')
    expect(readdirSync(full)).toEqual(['rest'])
  })

  it('--samples ends with exit 2, also where the report could be written', async () => {
    const output = dir.file('with-samples.json')
    const { code, stdout, stderr } = await kt(bench('--samples', on('s.ndjson'), '--output', output))
    expect(stderr).toContain(`--samples ${on('s.ndjson')}: no space left. The run goes on without them.`)
    expect(stdout).toMatch(/Successful:\s+20/)
    expect(parseBench(readFileSync(output, 'utf8')).samples).toEqual({ written: 0, lost: 20, error: 'no space left' })
    expect(code).toBe(2)
    rmSync(on('s.ndjson'))
  })

  const demand = ['--input-peak', '80M', '--output-peak', '10M']
  it.each<[string, string[], string]>([
    ['bench sweep', ['--url', server.origin, '--concurrency', '1', '--step', '200ms', '--html'], 'kt.sweep/1'],
    ['bench compare', [report, report, '--html'], 'kt.compare/1'],
    ['bench compare', [report, report, '--junit'], 'kt.compare/1'],
    ['slo check', [report, '--markdown'], 'kt.slo/1'],
    ['plan', [...demand, '--html'], 'kt.plan/1'],
    ['doctor', [dir.write('gateway.yaml', 'gateway: { warmup: { enabled: false } }\n'), '--html'], ''],
  ])('kt %s (%#): one result on stdout, one sentence, exit 2', async (command, args, schema) => {
    const { code, stdout, stderr } = await kt([...command.split(' '), ...args, on('beside'), '--json'])
    expect(stderr).toContain(`kt: ${unwritten('beside')}\n`)
    expect(JSON.parse(stdout)).toEqual(expect.objectContaining(schema === '' ? {} : { schema }))
    expect(code).toBe(2)
    expect(readdirSync(full)).toEqual(['rest'])
  })

  it('a file that is begun there is not left behind empty', async () => {
    const { code, stderr } = await kt(['profiles', 'copy', 'slo', on('slo.yaml')])
    expect(stderr).toContain(unwritten('slo.yaml'))
    expect(code).toBe(2)
    expect(readdirSync(full)).toEqual(['rest'])
  })
})
