import { expect, it } from 'vitest'
import { nearest } from '../../src/manifest/suggest.ts'

const keys = ['operations', 'extends', 'headers', 'error', 'errors', 'base', 'auth', 'text', 'tool']

it.each([
  ['operatons', 'operations'],
  ['extend', 'extends'],
  ['haeders', 'headers'],
  ['erors', 'errors'],
  ['Base', 'base'],
  ['txet', 'text'],
  ['aut', 'auth'],
  ['temperature', undefined],
  ['zzzz', undefined],
  ['', undefined],
])('"%s" probably means %s', (word, expected) => {
  expect(nearest(word, keys)).toBe(expected)
})

it('a word of a hundred thousand letters takes no time', () => {
  const begin = performance.now()
  expect(nearest('x'.repeat(100_000), ['y'.repeat(100_000), ...keys])).toBeUndefined()
  expect(performance.now() - begin).toBeLessThan(500)
})
