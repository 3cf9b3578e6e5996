/** How well an open loop kept to its schedule. What was warm-up does not count. */
import { Histogram } from '../stats/histogram.ts'
import type { ArmRecorder } from './recorder.ts'

export class KeptSchedule {
  /** How late requests were handed to their socket, without waits for a slot or a connection. */
  sendLag = new Histogram()
  /** The time in which requests were due, and in which they left. */
  offeredUs = 0
  achievedUs = 0

  /** Forgets the warm-up. */
  restart(): void {
    this.sendLag = new Histogram()
    this.offeredUs = 0
    this.achievedUs = 0
  }

  /** Requests of a load phase were due for `dueUs`, and the last of them left `lateUs` later. */
  phaseEnded(dueUs: number, lateUs: number): void {
    this.offeredUs += dueUs
    this.achievedUs += dueUs + lateUs
  }

  /** The achieved rate over the offered one; null of a closed loop. What was held back was due too. */
  achievedToOffered(recorders: readonly ArmRecorder[]): number | null {
    if (this.achievedUs === 0) return null
    let [sent, heldBack] = [0, 0]
    for (const recorder of recorders) {
      sent += recorder.sent
      heldBack += recorder.hold.told.heldBack
    }
    return (this.offeredUs / this.achievedUs) * (heldBack === 0 ? 1 : sent / (sent + heldBack))
  }
}
