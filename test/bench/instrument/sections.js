// The sections of instrument.js, in the order in which they run.
import { accuracy } from './accuracy.js'
import { memory } from './memory.js'
import { pacing } from './pacing.js'
import { peers, ttft } from './peers.js'
import { replay } from './replay.js'
import { requests } from './requests.js'
import { sessions } from './sessions.js'
import { stall } from './stall.js'
import { arrival, reading } from './streams.js'
import { threads } from './threads.js'
import { throughput } from './throughput.js'
import { wire } from './wire.js'

export const SECTIONS = {
  accuracy,
  pacing,
  sessions,
  replay,
  throughput,
  reading,
  arrival,
  memory,
  threads,
  stall,
  wire,
  peers,
  ttft,
  requests,
}
