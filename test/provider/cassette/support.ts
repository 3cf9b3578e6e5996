/** A recorder before a server of the test, and its cassette played by a provider. */
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { onTestFinished } from 'vitest'
import { type RecordedAnswer, readCassette } from '../../../src/provider/cassette/cassette.ts'
import { CassettePlayer, type PlayerOptions } from '../../../src/provider/cassette/player.ts'
import { type Recorder, type RecorderOptions, startRecorder } from '../../../src/provider/cassette/recorder.ts'
import type { ProviderOptions, SimulatedProvider } from '../../../src/provider/server.ts'
import { listenAt } from '../../../src/system/serve.ts'
import { tempDir } from '../../support/temp-dir.ts'
import { provider } from '../support.ts'

export interface Recording {
  recorder: Recorder
  path: string
  notes: string[]
  /** Ends the recording, and reads what was kept. */
  end(): Promise<RecordedAnswer[]>
  text(): string
}

export async function record(upstream: string, options: Partial<RecorderOptions> = {}): Promise<Recording> {
  const dir = tempDir()
  const notes: string[] = []
  const path = dir.file('cassette.jsonl')
  const recorder = await startRecorder({
    host: '127.0.0.1',
    port: 0,
    upstream: new URL(upstream),
    output: path,
    keepPrompts: false,
    version: 'test',
    note: (line) => notes.push(line),
    ...options,
  })
  let open = true
  const close = async (): Promise<void> => {
    if (open) await recorder.close(200)
    open = false
  }
  onTestFinished(async () => {
    await close()
    dir.remove()
  })
  return {
    recorder,
    path,
    notes,
    text: () => readFileSync(path, 'utf8'),
    end: async () => {
      await close()
      return readCassette(path).answers.map(({ answer }) => answer)
    },
  }
}

export async function replay(
  path: string,
  how: Partial<PlayerOptions> = {},
  options: Partial<ProviderOptions> = {},
): Promise<SimulatedProvider & { notes: string[] }> {
  const notes: string[] = []
  const settings: PlayerOptions = { speed: 1, order: 'request', seed: 1, note: (line) => notes.push(line), ...how }
  const player = new CassettePlayer(readCassette(path), settings)
  return { ...(await provider({ player, ...options })), notes }
}

/** A server of the test's own on a free port: what a provider may answer. */
export async function upstream(listener: RequestListener): Promise<string> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => listener(request, response))
  })
  const { authority } = await listenAt(server, 0, '127.0.0.1')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://${authority}`
}
