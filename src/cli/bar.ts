import { safe } from './terminal.ts'

const width = 30
const gap = 100 // milliseconds between two pictures
const step = 10 // percent between two lines without a terminal

/** How far something is, as a picture in one line. */
export function bar(fraction: number): string {
  const done = Math.round(Math.min(1, Math.max(0, fraction)) * width)
  return `${'█'.repeat(done)}${'░'.repeat(width - done)} ${String(Math.floor(fraction * 100)).padStart(3)} %`
}

/** Where it is drawn. */
export interface Screen {
  isTTY?: boolean
  columns?: number
  write(text: string): unknown
}

export interface Picture {
  /** `fraction` is absent where nobody knows how much there is. */
  show(name: string, fraction: number | undefined, details: string): void
  /** Ends the line. */
  end(): void
}

/** One line that is drawn again and again on a terminal; a line every ten percent where there is none. */
export function createPicture(screen: Screen): Picture {
  let drawn = -Infinity
  let open = false
  let named: string | undefined
  let told = -1

  function draw(line: string, whole: boolean): void {
    if (!whole && performance.now() - drawn < gap) return
    drawn = performance.now()
    open = true
    const room = (screen.columns ?? 80) - 1
    screen.write(`\r\u001B[K${line.length > room ? `${line.slice(0, room - 1)}…` : line}`)
  }

  return {
    show(name, fraction, details) {
      const fresh = name !== named
      named = name
      if (screen.isTTY === true) {
        draw(safe(fraction === undefined ? `${name} ${details}` : `${bar(fraction)} ${details}`), fresh || fraction === 1)
        return
      }
      const percent = Math.floor((fraction ?? 0) * 100)
      const now = Math.floor(percent / step) * step
      if (!fresh && now <= told) return
      told = now
      screen.write(`${safe(`${name}: ${fraction === undefined ? '' : `${percent} %, `}${details}`)}\n`)
    },
    end() {
      if (open) screen.write('\n')
      open = false
    },
  }
}
