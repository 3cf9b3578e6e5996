/** The pages of the other results: a sweep, a plan, a history, a diagnosis. */
import { deployment } from '../output/plan-answer.ts'
import { cutOffSentence, untilSentence } from '../output/sweep-answer.ts'
import { historyPlots } from '../plots/history.ts'
import { planPlots } from '../plots/plan.ts'
import type { PlotTable } from '../plots/plot.ts'
import { kneeSentence, sweepPlots } from '../plots/sweep.ts'
import type { DoctorResult } from '../report/doctor-schema.ts'
import type { History } from '../report/history-schema.ts'
import type { Plan } from '../report/plan-schema.ts'
import type { SweepReport } from '../report/sweep-schema.ts'
import { formatCount } from '../units.ts'
import { section } from './bench-document.ts'
import type { Document, Section } from './document.ts'

export function sweepDocument(report: SweepReport): Document {
  const { target, load, machine, curves } = report
  const until = curves.flatMap(({ until: found }) => (found ? [found] : []))
  return {
    title: `kt bench sweep: ${target.gateway ?? target.url}`,
    sentences: [
      { verdict: null, text: kneeSentence(report) },
      ...curves.flatMap((curve) => cutOffSentence(curve, report) ?? []).map((text) => ({ verdict: null, text })),
      ...until.map((found) => ({ verdict: null, text: untilSentence(found, report) })),
    ],
    facts: [
      ['Measured', report.startedAt],
      ['URL', target.url],
      ['Model', `${target.model}, ${target.endpoint}${target.stream ? ', streamed' : ''}`],
      ['Load', `${load.mode} loop, ${load.stepS} s a level`],
      ['Added P99', report.overheadSource ?? 'no answer tells it'],
      ['Machine', `${machine.cpuModel}, ${machine.cores} cores, Node ${machine.node}`],
      ['kt', report.kt.version],
      ['Command', report.command],
    ],
    sections: section('Load', sweepPlots(report)),
  }
}

export function planDocument(plan: Plan): Document {
  const { demand, sizing, contradictions, quotas, nodes } = plan
  const perSecond = (tokens: number): string => `${formatCount(tokens)} tokens/s`
  return {
    title: 'kt plan',
    sentences: [{ verdict: null, text: `${deployment(plan)}.` }],
    facts: [
      ['Peak', `${perSecond(demand.inputTokensPerSec)} in, ${perSecond(demand.outputTokensPerSec)} out`],
      ['Requests', `${formatCount(demand.requestsPerSec)}/s, ${formatCount(demand.inFlight)} in flight`],
      ['Machine', `${nodes.type} (${nodes.cloud})`],
      ['Figures', `${sizing.name}: ${sizing.source}`],
      ['kt', plan.kt.version],
    ],
    sections: [
      {
        title: 'What it needs',
        lines: [...contradictions, ...demand.notes],
        plots: planPlots(plan),
        tables:
          quotas.length === 0
            ? []
            : [
                {
                  caption: 'Quotas of providers',
                  table: {
                    head: ['', 'provider', 'needed', 'of one account', 'accounts', 'there are'],
                    rows: quotas.map(({ name, provider, need, limit, accounts, have }) => [
                      name,
                      provider,
                      formatCount(need),
                      formatCount(limit),
                      formatCount(accounts),
                      formatCount(have),
                    ]),
                  },
                },
              ],
      },
    ],
  }
}

export function historyDocument(history: History): Document {
  const [plot] = historyPlots(history)
  const left: Section[] =
    history.left.length === 0
      ? []
      : [
          {
            title: 'Files that are not in it',
            tables: [
              {
                caption: 'Files that are left out, and why',
                table: { head: ['file', 'why'], rows: history.left.map(({ file, why }) => [file, why]) },
              },
            ],
          },
        ]
  return {
    title: `kt bench history: ${history.metric} in ${history.folder}`,
    sentences: [{ verdict: null, text: plot?.says ?? '' }],
    facts: [['Definition', history.definition ?? 'of the metric itself']],
    sections: [...section('History', historyPlots(history)), ...left],
  }
}

export function doctorDocument(doctor: DoctorResult): Document {
  const { summary, config, report, measured, rules } = doctor
  const { critical, warning, info } = summary.found
  const found = rules.filter(({ status }) => status === 'found')
  return {
    title: `kt doctor: ${config?.path ?? measured?.url ?? report?.path ?? ''}`,
    sentences: [
      {
        verdict: critical + warning > 0 ? 'fail' : null,
        text:
          `${critical} critical, ${warning} warnings, ${info} for information; ${summary.fine} rules are fine, ` +
          `${summary.notChecked} could not be checked.`,
      },
    ],
    facts: [
      ...(config ? [['Config', `${config.path} (${config.kind})`] as const] : []),
      ...(report ? [['Report', report.path] as const] : []),
      ...(measured ? [['Measured', `${measured.url}, ${measured.requests} requests`] as const] : []),
      ['kt', doctor.kt.version],
    ],
    sections: [
      ...found.map(
        ({ rule, title, opinions }): Section => ({
          title: `${title} (${rule})`,
          lines: opinions.flatMap((opinion) =>
            opinion.status === 'found'
              ? [
                  `${opinion.severity}, ${opinion.certainty}, by ${opinion.by}: ${opinion.seen}`,
                  `Cost: ${opinion.cost}`,
                  `Fix: ${opinion.fix.how}`,
                  ...(opinion.fix.patch === null ? [] : [opinion.fix.patch]),
                ]
              : [],
          ),
        }),
      ),
      { title: 'All rules', tables: [{ caption: 'Rules', table: rulesTable(doctor) }] },
    ],
  }
}

function rulesTable({ rules }: DoctorResult): PlotTable {
  return {
    head: ['rule', 'status', 'severity', 'what', 'evidence'],
    rows: rules.map(({ rule, status, severity, title, opinions }) => [
      rule,
      status,
      severity ?? '-',
      title,
      opinions
        .map((opinion) => `${opinion.by}: ${opinion.status === 'not-checked' ? opinion.why : opinion.seen}`)
        .join('; '),
    ]),
  }
}
