import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { readExchanges, type Recording, routeOf, sharedRecordings, tell, type Told } from '../tools/exchanges.ts'

/** What an answer comes to; usage may stand behind the proof, and made-up ids are random. */
function gist({ replayed }: Told): unknown {
  return replayed?.result.choices.map(({ text, reasoning, toolCalls, finishReason }) => [
    text,
    reasoning,
    toolCalls.map((call) => [call.name, call.argumentsText]),
    finishReason,
  ])
}

/** Cuts that pass for the whole answer although it isn't; none, if the dialect's proof is worth its name. */
function wrongEnds(recording: Recording, cuts: number): unknown[] {
  const route = routeOf(recording)
  const { bodyText = '' } = recording.response
  const size = Buffer.byteLength(bodyText)
  if (route === undefined) return []
  const whole = tell(recording, route)
  if (whole.error !== undefined) return []
  const wrong: unknown[] = []
  for (let n = 0; n < cuts; n++) {
    const at = Math.floor((n * size) / cuts)
    const bodyBase64 = Buffer.from(bodyText).subarray(0, at).toString('base64')
    const cut = tell({ ...recording, response: { status: 200, headers: recording.response.headers, bodyBase64 } }, route)
    const passed = cut.error === undefined && JSON.stringify(gist(cut)) !== JSON.stringify(gist(whole))
    const odd = cut.error !== undefined && !['truncated', 'protocol'].includes(cut.error.kind)
    if (passed || odd) wrong.push({ file: recording.file, at, size, got: cut.error ?? gist(cut) })
  }
  return wrong
}

const isStream = ({ response, request }: Recording): boolean =>
  response.status === 200 &&
  response.bodyText !== undefined &&
  typeof request?.body === 'object' &&
  response.bodyText.length > 0 &&
  !/^\s*\{/.test(response.bodyText)

describe('ST3 a stream that is cut anywhere never passes for a whole one', () => {
  // One has text behind its finish: where a finish is a proof, what comes after it isn't waited for.
  const fixtures = readExchanges(fileURLToPath(new URL('../fixtures', import.meta.url)))
    .filter(isStream)
    .filter(({ file }) => !file.endsWith('text-after-finish.json'))

  it.each(fixtures.map((fixture) => [fixture.file, fixture] as const))('%s', (_, fixture) => {
    expect(wrongEnds(fixture, 200)).toEqual([])
  })

  it.skipIf(sharedRecordings === undefined)('and so with what was recorded of each wire', () => {
    const recordings = readExchanges(sharedRecordings ?? '').filter(isStream)
    const seen = new Map<string, number>()
    const some = recordings.filter(({ api, provider }) => {
      const key = `${api} ${provider}`
      seen.set(key, (seen.get(key) ?? 0) + 1)
      return (seen.get(key) ?? 0) <= 4
    })
    const wrong = some.flatMap((recording) => wrongEnds(recording, 40))
    console.log(`${some.length} recorded streams of ${seen.size} providers, each cut at 40 places`)
    expect(wrong).toEqual([])
  })
})
