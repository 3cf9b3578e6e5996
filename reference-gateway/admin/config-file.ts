/** The keys `gateway.admin_port` and `gateway.admin` of the config file. */
import { notYet } from '../config-values.ts'

export const adminPortFile = notYet('an admin port')
export const adminFile = notYet('an admin port')
