import { describe, expect, it } from 'vitest'
import { bar, createPicture } from '../../src/cli/bar.ts'
import { bytesText, waitText } from '../../src/cli/bytes.ts'

function screen(terminal: boolean): { isTTY: boolean; columns: number; write(text: string): void; text(): string } {
  let all = ''
  return { isTTY: terminal, columns: 60, write: (text) => void (all += text), text: () => all }
}

describe('how far something is', () => {
  it('is one line on a terminal, drawn again, never wider than it', () => {
    const terminal = screen(true)
    const picture = createPicture(terminal)
    picture.show('model.gguf', 0.25, '250 MB of 1.00 GB, 3.00 MB/s, 250 s left, and more than fits')
    picture.show('model.gguf', 0.26, 'too soon to be drawn')
    picture.show('model.gguf', 1, 'done')
    picture.end()
    const [empty, first = '', second = ''] = terminal.text().split('\r\u001B[K')
    expect(empty).toBe('')
    expect(first).toMatch(/^█{8}░{22} {2}25 % 250 MB of/)
    expect(first).toHaveLength(59)
    expect(second).toBe(`${'█'.repeat(30)} 100 % done\n`)
  })

  it('is a line every ten percent where there is no terminal', () => {
    const pipe = screen(false)
    const picture = createPicture(pipe)
    for (let percent = 0; percent <= 100; percent++) picture.show('a', percent / 100, '…')
    picture.show('b', 0.5, '…')
    picture.end()
    expect(pipe.text().split('\n')).toEqual([
      ...Array.from({ length: 11 }, (_, index) => `a: ${index * 10} %, …`),
      'b: 50 %, …',
      '',
    ])
  })

  it('without a known end tells what has come', () => {
    const pipe = screen(false)
    createPicture(pipe).show('a', undefined, '3.00 MB')
    expect(pipe.text()).toBe('a: 3.00 MB\n')
  })

  it('never draws more than there is', () => {
    expect(bar(1.5)).toContain('█'.repeat(30))
    expect(bar(-1)).toContain('░'.repeat(30))
  })

  it('counts bytes and time as people do', () => {
    expect([0, 999, 1000, 1_450_000, 99_960_000, 639_446_688, 999_999_999, 7.3e12].map(bytesText)).toEqual([
      '0 bytes',
      '999 bytes',
      '1.00 kB',
      '1.45 MB',
      '100 MB',
      '639 MB',
      '1.00 GB',
      '7.30 TB',
    ])
    expect([400, 99_000, 100_000, 3_000_000, 7_500_000].map(waitText)).toEqual(['1 s', '99 s', '2 min', '50 min', '2 h 5 min'])
  })
})
