/** The flags of every command that asks a running gateway. */
import { Flags } from '@oclif/core'

export const adminFlags = {
  admin: Flags.string({
    description: 'admin port of the gateway',
    default: 'http://127.0.0.1:41003',
    helpValue: 'url',
  }),
  'admin-token': Flags.string({
    description: "the gateway's gateway.admin.token; rather set it as KT_ADMIN_TOKEN",
    env: 'KT_ADMIN_TOKEN',
  }),
}
