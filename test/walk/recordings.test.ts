import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { differencesOf, readExchanges, type Recording, routeOf, sharedRecordings, tell, trace } from '../tools/exchanges.ts'

/** Every recorded exchange of the wires that have a manifest: what was expected comes out, wherever the bytes are cut. */
const known = parse(readFileSync(new URL('../known-differences.yaml', import.meta.url), 'utf8')) as { id: string; reason: string }[]
const reasons = new Map(known.map(({ id, reason }) => [id, reason]))

const all = sharedRecordings === undefined ? [] : readExchanges(sharedRecordings)
const routed = all.filter((recording) => routeOf(recording) !== undefined)
if (sharedRecordings === undefined) console.log('skipped: ../shared/recordings is not here, so no recorded traffic is replayed')

const longest = 24_000

describe.skipIf(sharedRecordings === undefined)('recorded traffic', () => {
  for (const api of new Set(routed.map((recording) => recording.api))) {
    const recordings = routed.filter((recording) => recording.api === api)

    it(`${api}: ${recordings.length} exchanges say what was recorded`, () => {
      const wrong = recordings.filter((recording) => differs(recording) && !reasons.has(recording.id))
      expect(wrong.map((recording) => `${recording.file}: ${JSON.stringify(differencesOf(recording, whole(recording)))}`)).toEqual(
        [],
      )
    })

    const streams = recordings.filter((recording) => ['sse', 'ndjson', 'google-array'].includes(recording.framing))
    it.skipIf(streams.length === 0)(`${api}: ${streams.length} streams give the same events however they are cut`, () => {
      const changed = streams.filter((recording) => variants(recording).some((variant) => variant !== trace(whole(recording))))
      expect(changed.map((recording) => recording.file)).toEqual([])
    })
  }

  it('lists only differences that are there', () => {
    const stale = known.filter(({ id }) => !routed.some((recording) => recording.id === id && differs(recording)))
    expect(stale).toEqual([])
  })

  it('reads at least 99.5 % exactly', () => {
    const exact = routed.filter((recording) => !differs(recording)).length
    console.log(
      `${exact} of ${routed.length} recorded exchanges read exactly (${all.length - routed.length} of other wires left out)`,
    )
    expect(exact / routed.length).toBeGreaterThanOrEqual(0.995)
  })
})

const outcomes = new Map<string, ReturnType<typeof tell>>()

function whole(recording: Recording): ReturnType<typeof tell> {
  let told = outcomes.get(recording.file)
  if (told === undefined) outcomes.set(recording.file, (told = tell(recording, routeOf(recording) ?? { use: '', operation: '' })))
  return told
}

function differs(recording: Recording): boolean {
  return differencesOf(recording, whole(recording)).length > 0
}

/** Byte by byte (in sevens where long), at random, and with the other line ends. */
function variants(recording: Recording): string[] {
  const route = routeOf(recording)
  if (route === undefined) return []
  const text = recording.response.bodyText ?? ''
  const size = Buffer.byteLength(text)
  const lf = text.replaceAll('\r\n', '\n')
  const other = {
    ...recording,
    response: { ...recording.response, bodyText: text.includes('\r\n') ? lf : lf.replaceAll('\n', '\r\n') },
  }
  return [
    trace(tell(recording, route, size > longest ? 7 : 1)),
    trace(tell(recording, route, randomCuts(size, recording.id))),
    trace(tell(other, route)),
    trace(tell(other, route, randomCuts(size, `${recording.id} crlf`))),
  ]
}

/** Twenty places, the same for the same seed. */
function randomCuts(size: number, seed: string): number[] {
  let state = [...seed].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) >>> 0, 7)
  const next = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  return Array.from({ length: 20 }, () => Math.floor(next() * size)).sort((left, right) => left - right)
}
