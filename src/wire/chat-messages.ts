/** Messages of OpenAI's chat that somebody else wrote, as far as other APIs can carry them (chat-turns.ts). */
import { z } from 'zod'

const contentShape = z.union([
  z.string(),
  z.array(
    z.object({
      type: z.string(),
      text: z.string().nullish(),
      image_url: z.object({ url: z.string() }).nullish(),
    }),
  ),
])
const callShape = z.object({
  id: z.string().nullish(),
  function: z.object({ name: z.string().nullish(), arguments: z.string().nullish() }).nullish(),
  extra_content: z.object({ google: z.object({ thought_signature: z.string() }) }).nullish(),
})
/** Signed reasoning of an earlier answer, as openai-chat.ts writes it. */
const detailShape = z.object({
  text: z.string().nullish(),
  signature: z.string().nullish(),
  data: z.string().nullish(),
})
const messageShape = z.object({
  role: z.string(),
  content: contentShape.nullish(),
  tool_calls: z.array(callShape).nullish(),
  tool_call_id: z.string().nullish(),
  reasoning_details: z.array(detailShape).nullish(),
})
const NO_MESSAGES = 'is not a list of messages'
export const chatMessages = z.array(messageShape, NO_MESSAGES).min(1, NO_MESSAGES)

export type ChatMessages = z.output<typeof chatMessages>
export type SignedDetail = z.output<typeof detailShape>
export type ChatCall = z.output<typeof callShape>
