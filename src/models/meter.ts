/** How far a download is. */
export interface PullProgress {
  /** The file that is being fetched. */
  file: string
  /** That are there, those of an earlier run included. */
  bytes: number
  /** Bytes of the whole file, where known. */
  total?: number
  /** Of the last seconds. */
  bytesPerSecond: number
  /** Milliseconds that are left at this speed, where known. */
  etaMs?: number
}

export interface Meter {
  add(bytes: number): void
  /** Tells the last state, whenever the one before was told. */
  end(): void
}

const interval = 100
/** Milliseconds that the speed is measured over. */
const span = 5_000

/** Tells a listener how far it is, at most ten times a second. */
export function createMeter(
  file: string,
  start: number,
  total: number | undefined,
  tell: ((progress: PullProgress) => void) | undefined,
): Meter {
  let bytes = start
  let told = -Infinity
  let marks = [{ at: performance.now(), bytes: start }]

  function say(now: number): void {
    told = now
    const [first = { at: now, bytes }] = marks
    const seconds = (now - first.at) / 1000
    const bytesPerSecond = seconds > 0 ? Math.round((bytes - first.bytes) / seconds) : 0
    marks = [...marks.filter(({ at }) => now - at < span), { at: now, bytes }]
    tell?.({
      file,
      bytes,
      bytesPerSecond,
      ...(total === undefined ? {} : { total }),
      ...(total === undefined || bytesPerSecond === 0 ? {} : { etaMs: Math.round(((total - bytes) / bytesPerSecond) * 1000) }),
    })
  }

  return {
    add(more) {
      bytes += more
      const now = performance.now()
      if (now - told >= interval) say(now)
    },
    end: () => say(performance.now()),
  }
}
