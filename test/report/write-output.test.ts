// A file that a user names is never replaced by another kind of thing, and a regular one is never half written.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { createServer } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { assertWritable, isStdout, noteForeign, writeOutput } from '../../src/report/write-output.ts'
import { laterRefusalOf } from '../support/refusal.ts'
import { canMakeDevices, canMount, isRoot, mkfifo, mknod, posix, smallDisk } from '../support/special-files.ts'
import { tempDir } from '../support/temp-dir.ts'

const dir = tempDir()
const at = dir.file
afterEach(() => {
  dir.remove()
  mkdirSync(dir.path)
})

async function write(path: string, words = 'new'): Promise<void> {
  assertWritable(path)
  await writeOutput(path, words)
}

const read = (path: string): string => readFileSync(path, 'utf8')

const refusal = async (attempt: () => unknown): Promise<string> => (await laterRefusalOf(attempt)).message

describe('a regular file', () => {
  it('is made where the name is free, and nothing else is left beside it', async () => {
    await write(at('r.json'))
    expect(read(at('r.json'))).toBe('new')
    expect(readdirSync(dir.path)).toEqual(['r.json'])
  })

  it('may have the longest name there is', async () => {
    const longest = at('r'.repeat(255))
    await write(longest)
    expect(read(longest)).toBe('new')
  })

  it.skipIf(!posix)('is replaced whole, and keeps its mode', async () => {
    writeFileSync(at('r.json'), 'former')
    chmodSync(at('r.json'), 0o640)
    const { ino } = statSync(at('r.json'))
    await write(at('r.json'))
    expect(read(at('r.json'))).toBe('new')
    expect(statSync(at('r.json')).mode & 0o777).toBe(0o640)
    // Another file under the same name: who reads the former one reads it to its end.
    expect(statSync(at('r.json')).ino).not.toBe(ino)
  })

  it.skipIf(!isRoot)('keeps its owner (skipped where not root: none else can give a file away)', async () => {
    writeFileSync(at('r.json'), 'former')
    execFileSync('chown', ['1234:5678', at('r.json')])
    await write(at('r.json'))
    expect(statSync(at('r.json'))).toMatchObject({ uid: 1234, gid: 5678 })
  })

  it.skipIf(isRoot || !posix)('is refused where it may not be written (skipped for root, who may)', async () => {
    writeFileSync(at('r.json'), 'former', { mode: 0o444 })
    expect(await refusal(() => assertWritable(at('r.json')))).toMatch(/permission denied$/)
    expect(await refusal(() => writeOutput(at('r.json'), 'new'))).toMatch(/permission denied$/)
    expect(read(at('r.json'))).toBe('former')
  })

  it.skipIf(!canMount)(
    'that is a mount of its own is written in place (skipped where nothing can be mounted)',
    async () => {
      writeFileSync(at('host.json'), 'former, and longer')
      writeFileSync(at('r.json'), '')
      execFileSync('mount', ['--bind', at('host.json'), at('r.json')])
      try {
        await write(at('r.json'))
      } finally {
        execFileSync('umount', [at('r.json')])
      }
      expect(read(at('host.json'))).toBe('new')
      expect(readdirSync(dir.path).sort()).toEqual(['host.json', 'r.json'])
    },
  )

  it.skipIf(!canMount)('stays as it was on a full disk (skipped where no small disk can be mounted)', async () => {
    const disk = smallDisk(at('disk'))
    try {
      await write(at('disk/r.json'), 'former')
      expect(await refusal(() => write(at('disk/r.json'), 'x'.repeat(20_000)))).toMatch(/r\.json: no space left$/)
      expect(read(at('disk/r.json'))).toBe('former')
      expect(readdirSync(at('disk'))).toEqual(['r.json'])
      expect(await refusal(() => write(at('disk/other.json'), 'x'.repeat(20_000)))).toContain('no space left')
      expect(readdirSync(at('disk'))).toEqual(['r.json'])
    } finally {
      disk.remove()
    }
  })
})

describe.skipIf(!posix)('a link stays one', () => {
  it('and the file it leads to is written, over any number of links and folders that are links', async () => {
    mkdirSync(at('real/deep'), { recursive: true })
    writeFileSync(at('real/r.json'), 'former')
    symlinkSync('real/deep', at('folder'))
    symlinkSync('../r.json', at('real/deep/link'))
    symlinkSync('folder/link', at('first'))
    await write(at('first'))
    expect(read(at('real/r.json'))).toBe('new')
    expect([readlinkSync(at('first')), readlinkSync(at('real/deep/link'))]).toEqual(['folder/link', '../r.json'])
    expect(lstatSync(at('real/r.json')).isFile()).toBe(true)
  })

  it('and what it leads to is made, where that is not there yet', async () => {
    mkdirSync(at('real'))
    symlinkSync(at('real/r.json'), at('link'))
    await write(at('link'))
    expect(read(at('real/r.json'))).toBe('new')
    expect(readlinkSync(at('link'))).toBe(at('real/r.json'))
  })

  it('to a FIFO, which is written through', async () => {
    mkfifo(at('fifo'))
    symlinkSync('fifo', at('link'))
    const [, got] = await Promise.all([
      write(at('link')),
      text((await open(at('fifo'), 'r+')).createReadStream({ end: 2 })),
    ])
    expect(got).toBe('new')
    expect([lstatSync(at('link')).isSymbolicLink(), lstatSync(at('fifo')).isFIFO()]).toEqual([true, true])
  })
})

describe.skipIf(!posix)('what is no regular file is written through', () => {
  it('a FIFO, of which the writability check takes nothing from its reader, however much it gets', async () => {
    mkfifo(at('fifo'))
    const reader = open(at('fifo'), 'r').then((file) => text(file.createReadStream()))
    // More than a pipe holds.
    const much = 'x'.repeat(300_000)
    await write(at('fifo'), much)
    expect(await reader).toBe(much)
    expect(lstatSync(at('fifo')).isFIFO()).toBe(true)
    expect(readdirSync(dir.path)).toEqual(['fifo'])
  })

  it('a FIFO whose reader comes later', async () => {
    mkfifo(at('fifo'))
    const writing = write(at('fifo'))
    await new Promise((resolve) => setTimeout(resolve, 200))
    const file = await open(at('fifo'), 'r')
    expect(await text(file.createReadStream())).toBe('new')
    await writing
  })

  it('a FIFO whose reader goes away is said', async () => {
    mkfifo(at('fifo'))
    const reader = open(at('fifo'), 'r')
    const refused = refusal(() => writeOutput(at('fifo'), 'x'.repeat(300_000)))
    await (await reader).close()
    expect(await refused).toMatch(/its reader is gone$/)
  })

  it.each(['/dev/fd', '/proc/self/fd'].filter((folder) => existsSync(folder)))(
    'a descriptor in %s: where it stands, and it stays open',
    async (folder) => {
      writeFileSync(at('log'), 'before ')
      const fd = openSync(at('log'), 'a')
      await write(`${folder}/${fd}`)
      symlinkSync(`${folder}/${fd}`, at('link'))
      await write(at('link'), ', by a link')
      writeSync(fd, ' after')
      closeSync(fd)
      expect(read(at('log'))).toBe('before new, by a link after')
    },
  )

  it('a socket', async () => {
    const server = createServer({ allowHalfOpen: true })
    const got = new Promise<string>((resolve) =>
      server.on('connection', (socket) => resolve(text(socket).finally(() => socket.end()))),
    )
    await new Promise<void>((resolve) => server.listen(at('socket'), resolve))
    await write(at('socket'), 'x'.repeat(300_000))
    expect((await got).length).toBe(300_000)
    expect(lstatSync(at('socket')).isSocket()).toBe(true)
    await new Promise((resolve) => server.close(resolve))
  })

  it.skipIf(!canMakeDevices)('a device (skipped where not root: none else can make one)', async () => {
    mknod(at('null'), 'null')
    mknod(at('full'), 'full')
    symlinkSync('null', at('link'))
    await write(at('null'))
    await write(at('link'))
    expect(await refusal(() => write(at('full')))).toMatch(/full: no space left$/)
    for (const name of ['null', 'full']) expect(lstatSync(at(name)).isCharacterDevice()).toBe(true)
    expect(readdirSync(dir.path).sort()).toEqual(['full', 'link', 'null'])
  })

  it('stdout by each of its names', () => {
    symlinkSync('/dev/stdout', at('link'))
    expect(['-', '/dev/stdout', '/dev/fd/1', at('link')].map((path) => isStdout(path))).toEqual([
      true,
      true,
      true,
      true,
    ])
    expect(['/dev/stderr', '/dev/fd/0', './-', at('1')].map((path) => isStdout(path))).toEqual(Array(4).fill(false))
  })
})

describe('refused before a run, in a sentence', () => {
  const readOnly = (): string => `/dev/fd/${openSync(at('r.json'), 'r')}`

  it.each<[string, () => string, string]>([
    ['a folder', () => dir.path, 'it is a folder'],
    ['a name that ends as a folder', () => at('new/'), 'it is a folder'],
    ['a missing folder', () => at('none/r.json'), 'no such file or folder'],
    ['a link into a missing folder', () => at('lost'), 'no such file or folder'],
    ['a file for a folder', () => at('r.json/r.json'), 'a part of the path is not a folder'],
    ['a circle of links', () => at('circle'), 'its links run in a circle'],
    ['no name', () => '', 'no such file or folder'],
    ['a name that is too long', () => at('r'.repeat(256)), 'the name is too long'],
    ['a descriptor that is not open', () => '/dev/fd/999', 'it is not open for writing'],
    ['a descriptor to read from', readOnly, 'it is not open for writing'],
  ])('%s', async (_, path, reason) => {
    writeFileSync(at('r.json'), 'former')
    symlinkSync('none/r.json', at('lost'))
    symlinkSync('circle', at('circle'))
    const given = path()
    expect(await refusal(() => assertWritable(given))).toBe(`cannot write ${given}: ${reason}`)
    expect(await refusal(() => writeOutput(given, 'new'))).toBe(`cannot write ${given}: ${reason}`)
    expect(readdirSync(dir.path).sort()).toEqual(['circle', 'lost', 'r.json'])
    rmSync(at('lost'))
    expect(read(at('r.json'))).toBe('former')
    const [, fd] = given.match(/^\/dev\/fd\/(\d\d?)$/) ?? []
    if (fd !== undefined) closeSync(Number(fd))
  })
})

it('a file that holds no report is replaced with a word, a report and a new file without', () => {
  const words = (path: string): string[] => {
    const notes: string[] = []
    noteForeign(path, (line) => notes.push(line))
    return notes
  }
  const report = dir.write('report.json', '{\n  "schema": "kt.bench/2",\n  "arms": []\n}\n')
  expect([words(report), words(dir.file('new.json')), words(dir.write('empty.json', '')), words('-')].flat()).toEqual(
    [],
  )
  expect(words(dir.write('notes.txt', 'my notes'))).toEqual([expect.stringContaining('holds no report of kt')])
})
