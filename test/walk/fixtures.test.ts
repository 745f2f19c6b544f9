import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { differencesOf, readExchanges, routeOf, tell, trace } from '../tools/exchanges.ts'

/** Our own exchanges: written by hand from documentation, or recorded from llama-server by test/tools/record.ts. */
const fixtures = readExchanges(fileURLToPath(new URL('../fixtures', import.meta.url)))

describe('our own fixtures', () => {
  it('are there', () => {
    expect(fixtures.length).toBeGreaterThan(20)
  })

  for (const fixture of fixtures) {
    const route = routeOf(fixture)

    it(`${fixture.file} says what it should`, () => {
      expect(route, 'no manifest reads it: give it `use` or a line in recordings.yaml').toBeDefined()
      if (route === undefined) return
      expect(differencesOf(fixture, tell(fixture, route))).toEqual([])
    })

    it.skipIf(route === undefined || fixture.response.bodyText === undefined)(
      `${fixture.file} is the same cut at every byte, with LF and with CRLF`,
      () => {
        if (route === undefined) return
        const told = trace(tell(fixture, route))
        const text = (fixture.response.bodyText ?? '').replaceAll('\r\n', '\n')
        for (const bodyText of [text, text.replaceAll('\n', '\r\n')]) {
          const other = { ...fixture, response: { ...fixture.response, bodyText } }
          expect(trace(tell(other, route))).toBe(told)
          expect(trace(tell(other, route, 1))).toBe(told)
          const size = Buffer.byteLength(bodyText)
          for (let at = 1; at < size; at += Math.ceil(size / 400)) expect(trace(tell(other, route, [at]))).toBe(told)
        }
      },
    )
  }
})
