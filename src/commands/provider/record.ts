/** `kt provider record`: passes requests on to a provider and keeps its answers until a signal asks it to stop. */
import { KtCommand } from '../../command.ts'
import { flagsOf } from '../../parse/flags.ts'
import { parseRecordFlags, recordFlags } from '../../provider/cassette/options.ts'
import { startRecorder, summaryOf } from '../../provider/cassette/recorder.ts'
import { keepDoublesApart, lowerHelperThreads } from '../../system/helper-threads.ts'
import { onFreePort, untilAskedToStop } from '../../system/serve.ts'

export default class ProviderRecord extends KtCommand {
  static override summary = 'Record the answers of a real provider with the times of their pieces, to be played again.'

  static override description = [
    'Listens as a provider does, passes every request on to --upstream and the answer back as it comes, and adds the ' +
      'answer to --output: its status, its pieces with their times (milliseconds since the request left on an open ' +
      'connection), and how it ended; broken streams and refusals too. Ctrl-C ends it.',
    'Of a request it keeps method, path, protocol, model, size and a digest; its body only with --keep-prompts. ' +
      'Keys, cookies and ids of organisations are never written: headers are kept by a list of harmless ones, and ' +
      'where an answer repeats a secret of its request, stars stand in its place.',
    'kt provider start --replay plays the file; kt provider fit makes a profile of it. An answer that its client ' +
      'left is not kept. A file that was cut off is good up to its last whole answer, and is gone on with.',
  ].join('\n\n')

  static override examples = [
    '<%= config.bin %> <%= command.id %> --upstream https://api.openai.com --output cassette.jsonl',
    '<%= config.bin %> <%= command.id %> --upstream http://127.0.0.1:41001 --output own.jsonl --next-free-port',
  ]

  static override flags = flagsOf(recordFlags)

  async run(): Promise<void> {
    const { flags } = await this.parse(ProviderRecord)
    const { recorder: options, json, output, ...values } = parseRecordFlags(flags, (line) => this.note(line))
    keepDoublesApart()
    lowerHelperThreads()
    const asked = untilAskedToStop()
    const recorder = await onFreePort(options.port, values['next-free-port'], (port) =>
      startRecorder({ ...options, port }),
    )
    if (options.port !== 0 && recorder.port !== options.port) {
      this.note(`kt: port ${options.port} is taken; the recorder took ${recorder.port}`)
    }
    const by = recorder.proxy === undefined ? '' : ` by the proxy ${recorder.proxy}`
    this.print(
      json
        ? JSON.stringify({ url: recorder.url, pid: process.pid })
        : `kt provider recording on ${recorder.url} -> ${values.upstream.origin}${by}`,
    )
    await Promise.race([asked, recorder.broken])
    // Answers that were under way are written while it closes, and may find the disk full too.
    const fault = await recorder.close()
    this.note(`kt: ${summaryOf(recorder, output)}`)
    if (fault) throw fault
  }
}
