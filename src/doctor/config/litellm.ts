/** The part of a LiteLLM proxy's config.yaml that rules look at. Everything else passes unread. */
import { z } from 'zod'

export const liteLlmFile = z.looseObject({
  model_list: z.array(z.looseObject({ model_name: z.string() })).nullish(),
  litellm_settings: z
    .looseObject({
      cache: z.boolean().optional(),
      cache_params: z.looseObject({}).nullish(),
      request_timeout: z.number().optional(),
      set_verbose: z.boolean().optional(),
    })
    .nullish(),
  router_settings: z.looseObject({ timeout: z.number().optional() }).nullish(),
  general_settings: z
    .looseObject({
      database_url: z.string().optional(),
      proxy_batch_write_at: z.number().optional(),
      always_include_stream_usage: z.boolean().optional(),
    })
    .nullish(),
})
