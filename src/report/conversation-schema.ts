/** Conversations in a report: what was asked for, and what came of them, by turn and by session. */
import { z } from 'zod'
import { count, distributionSchema, ms } from './fields.ts'

export const conversationLoadSchema = z
  .strictObject({
    source: z.enum(['generated', 'file']).describe('where the turns come from'),
    meanTurns: z.number().describe('turns of a session, in the mean'),
    sessions: count.nullable().describe('on each arm; null where time ends the run'),
    maxSessions: count.optional().describe('upper limit of sessions under way'),
    think: z
      .strictObject({
        medianMs: ms.describe('its median'),
        sigma: z.number().describe('of its logarithm; 0: it is always the same'),
      })
      .optional()
      .describe("the user's pause before each turn but the first"),
    header: z.string().optional().describe("the header that carries the session's name"),
  })
  .describe('each request belongs to a session of several turns; rps is then the rate of new sessions')

export const conversationsSchema = z
  .strictObject({
    sessions: z
      .strictObject({
        started: count.describe('sessions that began'),
        finished: count.describe('every turn was answered'),
        failed: count.describe('a turn failed, which ended the session'),
        unfinished: count.describe('the run was over before their last turn'),
        durationMs: distributionSchema
          .optional()
          .describe('from the first request to the end of the last answer, pauses included; of finished sessions'),
      })
      .describe('what came of the sessions'),
    turns: z
      .array(
        z.strictObject({
          turn: count.describe('its number, from 1; the fiftieth stands for all later ones too'),
          sent: count.describe('requests of this turn'),
          successful: count.describe('of these, the answered ones'),
          failed: count.describe('sessions that ended with a failure here'),
          latencyMs: distributionSchema.optional().describe('latency, from the instant the turn was due'),
          ttftMs: distributionSchema.optional().describe('time to first token of streams, from the same instant'),
          overheadMs: distributionSchema.optional().describe("overhead, by the provider's stamps"),
        }),
      )
      .describe('requests by the number of their turn'),
  })
  .describe('of conversations: their sessions, and their requests by turn')
