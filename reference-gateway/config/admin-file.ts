/** The keys `gateway.admin_port` and `gateway.admin` of the config file. */
import { z } from 'zod'
import { secret } from '../../src/parse/config-values.ts'

/** Unset: no admin port. 0: any free one. */
export const adminPortFile = z.int().min(0).max(65_535).optional()

export const adminFile = z
  .strictObject({
    /** Asked for as `authorization: Bearer …`; `${NAME}` is read from the environment. */
    token: secret.optional(),
  })
  .prefault({})
