import { describe, expect, it } from 'vitest'
import { proxyFor } from '../../src/transport/proxy.ts'
import type { Environment } from '../../src/transport/proxy.ts'

describe('TR10 which proxy leads to an address', () => {
  const all = { HTTPS_PROXY: 'http://s', HTTP_PROXY: 'http://p', ALL_PROXY: 'http://a' }

  it.each<[string, string, Environment, string | undefined]>([
    ['by the scheme', 'https://x.test', all, 'http://s'],
    ['by the scheme', 'http://x.test', all, 'http://p'],
    ['any, where the scheme has none', 'https://x.test', { ALL_PROXY: 'http://a', HTTP_PROXY: 'http://p' }, 'http://a'],
    ['none', 'https://x.test', {}, undefined],
    ['none, where the variable is blank', 'https://x.test', { HTTPS_PROXY: '' }, undefined],
    ['the lower-case name first', 'https://x.test', { https_proxy: 'http://l', HTTPS_PROXY: 'http://u' }, 'http://l'],
  ])('%s: %s', (_, url, env, expected) => {
    expect(proxyFor(new URL(url), env)).toBe(expected)
  })

  it.each([
    ['https://x.test', 'x.test', true],
    ['https://a.x.test', 'x.test', true],
    ['https://a.x.test', '.x.test', true],
    ['https://a.x.test', '*.x.test', true],
    ['https://ax.test', 'x.test', false],
    ['https://x.test', 'other.test, X.TEST.', true],
    ['https://x.test:8443', 'x.test:8443', true],
    ['https://x.test', 'x.test:443', true],
    ['https://x.test', 'x.test:8443', false],
    ['https://x.test', '*', true],
    ['http://127.0.0.1:8080', '127.0.0.1', true],
    ['http://[::1]:8080', '::1', true],
    ['http://[::1]:8080', '[::1]:8080', true],
    ['http://[::1]:8080', '[::1]:80', false],
    ['http://localhost:11434', '', false],
  ])('%s with NO_PROXY=%s: spared is %s', (url, list, spared) => {
    expect(proxyFor(new URL(url), { ...all, NO_PROXY: list }) === undefined).toBe(spared)
  })
})
