import * as Args from '@oclif/core/args'
import { KtCommand } from '../command.ts'
import { diagnose } from '../doctor/doctor.ts'
import { doctorFlags, parseDoctorOptions } from '../doctor/options.ts'
import { oneFile } from '../gateway-cli/gateway-config.ts'
import { renderDoctor } from '../output/doctor-table.ts'
import { openPage } from '../page/flag.ts'
import { writePage } from '../page/write.ts'
import { isAddress } from '../parse/addresses.ts'
import { flagsOf } from '../parse/flags.ts'

export default class Doctor extends KtCommand {
  static override summary =
    'Examine a gateway for faults that make it slow, expensive or wrong: evidence, cost and fix of each.'

  static override description =
    "Examines a config (kt's reference gateway, Kong's declarative config, LiteLLM's YAML), a finished report, and a " +
    'running gateway, to which it sends a few dozen requests, one after another. A rule that cannot be checked says ' +
    'why. Severities: critical (answers lost, altered or given to others; one request stalls all), warning (costs ' +
    'latency or money on every request), info (depends on the workload). Exit 3 on findings at or above --severity, ' +
    '4 where nothing could be measured.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> gateway.yaml',
    '<%= config.bin %> <%= command.id %> gateway.yaml --run',
    '<%= config.bin %> <%= command.id %> kong.yaml --report report.json --severity critical',
    '<%= config.bin %> <%= command.id %> http://localhost:41002 --provider-url http://localhost:41001',
  ]

  static override args = {
    target: Args.string({
      description: "config of a gateway (kt's, Kong's declarative one or LiteLLM's), or the URL of a running one",
    }),
  }

  static override flags = flagsOf(doctorFlags)

  async run(): Promise<void> {
    const { args, flags } = await this.parse(Doctor)
    const isUrl = args.target !== undefined && isAddress(args.target)
    const named = oneFile(isUrl ? undefined : args.target, this.typed(flags, 'config'), 'kt doctor gateway.yaml')
    const given = { ...this.withUrl(flags, isUrl ? args.target : undefined), config: named ?? flags.config }
    const options = parseDoctorOptions({ ...given, 'api-key': this.apiKey(flags['api-key']) })
    const taken = openPage(options.html, options.json)
    const { result, exitCode } = await diagnose(options, {
      note: (line) => this.note(line),
      interrupt: this.interruption(),
    })
    // A fix is a patch of several lines, so its texts stay as they are.
    if (options.json) this.printJson(result)
    else if (taken === undefined) this.print(renderDoctor(result, this.page(options.explain)))
    const unwritten = await this.writeBeside(() =>
      writePage(options.html, async () => {
        const { doctorDocument } = await import('../page/documents.ts')
        return doctorDocument(result)
      }),
    )
    this.finish(unwritten ?? exitCode)
  }
}
