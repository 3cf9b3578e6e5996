import Plan from '../plan/index.ts'

/** `kt plan` in the words of a capacity guide: requests a day, their mean tokens, a peak multiplier. */
export default class CapacityEstimate extends Plan {
  static override summary = "Estimate capacity from requests per day: the same as 'kt plan'."
  static override examples = [
    '<%= config.bin %> <%= command.id %> --requests-per-day 50000 --avg-input-tokens 1500 --avg-output-tokens ' +
      '800 --peak-multiplier 3',
  ]
}
