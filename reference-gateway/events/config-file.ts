/** The key `gateway.events` of the config file. */
import { notYet } from '../config-values.ts'

export const eventsFile = notYet('events')
