// A screen that is drawn again: only what changed is written, and the terminal is left as it was.
import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { CostLimit } from '../../src/system/cost-limit.ts'
import { Screen } from '../../src/system/screen.ts'

class Terminal extends EventEmitter {
  columns = 80
  rows = 24
  written: string[] = []
  write(text: string): boolean {
    this.written.push(text.replaceAll('\u001B', '^'))
    return true
  }
}

const ENTER = '^[?1049h^[?25l^[2J'
const LEAVE = '^[?25h^[?1049l'

describe('a screen', () => {
  it('writes whole lines, and of the next picture those that differ', () => {
    const terminal = new Terminal()
    const screen = new Screen(terminal, () => {})
    screen.draw(['one', 'two', 'three'])
    screen.draw(['one', '2'])
    screen.draw(['one', '2'])
    screen.close()
    expect(terminal.written).toEqual([
      ENTER,
      '^[?2026h^[1;1Hone^[K^[2;1Htwo^[K^[3;1Hthree^[K^[?2026l',
      '^[?2026h^[2;1H2^[K^[3;1H^[K^[?2026l',
      LEAVE,
    ])
  })

  it('is drawn anew in its new size, and leaves nothing behind that listens', () => {
    const terminal = new Terminal()
    const before = process.listenerCount('exit')
    let asked = 0
    const screen = new Screen(terminal, () => {
      asked++
      screen.draw(['one'])
    })
    screen.draw(['one'])
    terminal.columns = 60
    terminal.emit('resize')
    expect(asked).toBe(1)
    expect(screen.size).toEqual({ width: 60, height: 24 })
    expect(terminal.written.slice(2)).toEqual([ENTER, '^[?2026h^[1;1Hone^[K^[?2026l'])
    expect(process.listenerCount('exit')).toBe(before + 1)
    screen.close()
    screen.close()
    expect(terminal.written.at(-1)).toBe(LEAVE)
    expect(terminal.written.filter((text) => text === LEAVE)).toHaveLength(1)
    expect([process.listenerCount('exit'), terminal.listenerCount('resize')]).toEqual([before, 0])
  })
})

describe('a limit of cost', () => {
  it('lets work begin at once, and leaves out what would exceed its share', () => {
    let spentUs = 0
    let done = 0
    const cost = new CostLimit(() => spentUs)
    for (let i = 0; i < 100; i++) {
      cost.run(() => {
        done++
        spentUs += 20_000
      })
    }
    expect(done).toBeGreaterThanOrEqual(2)
    expect(done).toBeLessThan(10)
  })

  it('never stands in the way of work that costs little', () => {
    let done = 0
    const cost = new CostLimit(() => 0)
    for (let i = 0; i < 100; i++) cost.run(() => void done++)
    expect(done).toBe(100)
  })
})
