import { createRequire } from 'node:module'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bundledProtocols, createCatalog } from '../../src/manifest/catalog.ts'
import { extend } from '../../src/manifest/extend.ts'
import { parseManifest, readManifest } from '../../src/manifest/load.ts'
import { format, positionOf } from '../../src/manifest/position.ts'
import { manifestShape, writeCheck } from '../../src/manifest/shape.ts'
import { dump, restore, type Snapshot } from '../../src/manifest/snapshot.ts'
import { folderOf } from './folder.ts'

const catalog = createCatalog({ paths: [bundledProtocols] })
const bundled = catalog.files()

/** As the build writes it and a process reads it. */
function written(data: Record<string, unknown>): Snapshot {
  return JSON.parse(JSON.stringify(dump(data))) as Snapshot // what `dump` gave
}

/** Every entry with its place, in order. */
function places(node: unknown, path = ''): string[] {
  if (typeof node !== 'object' || node === null) return []
  return Object.entries(node).flatMap(([key, value]) =>
    [`${path}/${key} ${format(positionOf(node, key))}`].concat(places(value, `${path}/${key}`)),
  )
}

describe('a snapshot', () => {
  it.each(bundled)('%s: gives the data and the places that parsing gives', (file) => {
    const { data } = readManifest(file)
    const restored = restore(written(data))
    expect(JSON.stringify(restored)).toBe(JSON.stringify(data))
    expect(places(restored)).toEqual(places(data))
    expect(places(restored).length).toBeGreaterThan(0)
  })

  it('keeps the places of keys that look like numbers, and of lists in lists', () => {
    const { data } = parseManifest('id: x\nb: { z: 1, "10": a, "2": b }\nl: [[1, { k: v }], []]', 'x.yaml')
    const restored = restore(written(data))
    expect(places(restored)).toEqual(places(data))
    expect(format(positionOf(restored['b'] as object, '2'))).toBe('x.yaml:2:21')
  })

  it('can be extended like what was parsed', () => {
    const parent = 'id: p\nheaders: { a: "1", b: "2" }\nerrors: [{ kind: timeout }]'
    const child = parseManifest('headers:\n  b: "3"\nerrors+: [{ kind: conflict }]', 'child.yaml').data
    const restored = restore(written(parseManifest(parent, 'p.yaml').data))
    const before = places(restored)
    expect(places(extend(restored, child))).toEqual(places(extend(parseManifest(parent, 'p.yaml').data, child)))
    expect(places(restored)).toEqual(before)
  })

  it('knows no place where there was none', () => {
    const restored = restore(written({ a: { b: 1 } }))
    expect(positionOf(restored, 'a')).toBeUndefined()
  })
})

describe('the check that the build writes', () => {
  const folder = folderOf({ 'check.cjs': writeCheck() })
  const check = createRequire(import.meta.url)(join(folder, 'check.cjs')) as ((data: unknown) => boolean) & { errors: unknown } // ajv's

  it.each(bundled)('%s: says what the check compiled on the spot says', (file) => {
    const { data } = readManifest(file)
    expect(check(data) ? [] : check.errors).toEqual(manifestShape().check(data))
  })

  it.each([
    'name: x',
    'id: X\nbsae: y',
    'id: x\nextends: []\nauth: { beerer: X }',
    'id: x\nauth: { header: { x-key: [1] }, prefix: 2 }',
    'id: x\noperations: { chat: { psot: /, decode: xml, complete: [never], finish: { a: b } } }',
    'id: x\noperations: { chat: { post: /, events: { a: { emit: { type: txet, delta: $.x } }, b: { emit: { type: tool, indx: 1 } } } } }',
    'id: x\noperations: { chat: { post: /, body: { $each: $.x }, usage: { inputTokns: $.a } } }',
    'id: x\nerrors: [{ when: { a: 1 }, kind: nope }, 1]\nlimits: { requests: 1 }\nmodels: [{}]\nwires: { a: { extends: 1 } }',
  ])('%j has the same mistakes', (text) => {
    const { data } = parseManifest(text, 'x.yaml')
    expect(check(data)).toBe(false)
    expect(check.errors).toEqual(manifestShape().check(data))
  })
})
