import { renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { ModelwireError } from '../../src/core/error.ts'
import { createCatalog } from '../../src/manifest/catalog.ts'
import { folderOf } from './folder.ts'

/** Longer than a file must lie still before it is read again. */
const rest = 160

const version = (number: number): string =>
  `id: x\nname: v${number}\nheaders:\n${Array.from({ length: 200 }, (_, index) => `  h${index}: "${number}"`).join('\n')}\n# end\n`

describe('ML10 a manifest that changes while it is used', () => {
  it('ML10 a new version takes over, calls in flight keep theirs', async () => {
    const folder = folderOf({ 'x.yaml': 'id: x\nname: one', 'y.yaml': 'id: y\nextends: x' })
    const catalog = createCatalog({ paths: [folder], watch: true })
    const [source, resolved] = [catalog.find('x'), catalog.resolve('y')]
    writeFileSync(join(folder, 'x.yaml'), 'id: x\nbase: https://two')
    await pause(rest)
    expect(catalog.find('x')?.data).toEqual({ id: 'x', base: 'https://two' })
    expect(catalog.resolve('y')).toEqual({ id: 'y', base: 'https://two' })
    expect(source?.data).toEqual({ id: 'x', name: 'one' })
    expect(resolved).toEqual({ id: 'y' })
    expect(catalog.find('x')).toBe(catalog.find('x'))
  })

  it.each([
    ['no YAML', 'id: x\nname: [', 'expected YAML, got a mistake'],
    ['empty', '', 'expected a map of keys, got nothing'],
    ['half-written', 'id: x\nbase:', 'expected a value of "base", got nothing'],
    ['not a manifest', 'id: x\nbsae: y', 'expected a key of Manifest, got "bsae"'],
  ])('ML10 a version that is %s is told once and not used', async (_, text, message) => {
    const folder = folderOf({ 'other-name.yaml': 'id: x\nname: good' })
    const errors: ModelwireError[] = []
    const catalog = createCatalog({ paths: [folder], watch: true, onError: (error) => errors.push(error) })
    const good = catalog.find('x')
    writeFileSync(join(folder, 'other-name.yaml'), text)
    await pause(rest)
    for (let look = 0; look < 3; look++) {
      expect(catalog.find('x')).toBe(good)
      expect(catalog.resolve('x')).toEqual({ id: 'x', name: 'good' })
    }
    expect(errors.map((error) => [error.kind, error.message])).toEqual([['manifest', expect.stringContaining(message)]])
    writeFileSync(join(folder, 'other-name.yaml'), 'id: x\nname: better')
    await pause(rest)
    expect(catalog.resolve('x')).toEqual({ id: 'x', name: 'better' })
    expect(errors).toHaveLength(1)
  })

  it('ML10 a version that fits nothing that it extends is told once and not used', async () => {
    const folder = folderOf({ 'x.yaml': 'id: x\nextends: d', 'd.yaml': 'id: d\nname: d\nbase: https://d' })
    const errors: ModelwireError[] = []
    const catalog = createCatalog({ paths: [folder], watch: true, onError: (error) => errors.push(error) })
    const good = catalog.resolve('x')
    writeFileSync(join(folder, 'x.yaml'), 'id: x\nextends: nobody')
    await pause(rest)
    expect(catalog.resolve('x')).toBe(good)
    expect(catalog.resolve('x')).toBe(good)
    expect(errors.map(({ message }) => message)).toEqual(['expected the id of a manifest, got "nobody", which nobody has'])
  })

  it('ML10 a file that comes, and one that goes', async () => {
    const low = folderOf({ 'x.yaml': 'id: x\nname: low' })
    const high = folderOf({ 'y.yaml': 'id: y' })
    const catalog = createCatalog({ paths: [low, high], watch: true })
    expect(catalog.resolve('x')['name']).toBe('low')
    writeFileSync(join(high, 'x.yaml'), 'id: x\nname: high')
    await pause(rest)
    expect(catalog.resolve('x')['name']).toBe('high')
    rmSync(join(high, 'x.yaml'))
    await pause(rest)
    expect(catalog.resolve('x')['name']).toBe('low')
  })

  it('ML10 two seconds of writing in place, in pieces and by renaming never show half a version', async () => {
    const folder = folderOf({ 'x.yaml': version(0) })
    const file = join(folder, 'x.yaml')
    const errors: ModelwireError[] = []
    const catalog = createCatalog({ paths: [folder], watch: true, onError: (error) => errors.push(error) })
    const look = (): void => {
      const { name, headers } = catalog.resolve('x') as { name: string; headers: Record<string, string> }
      expect(new Set(Object.values(headers))).toEqual(new Set([name.slice(1)]))
      expect(Object.keys(headers)).toHaveLength(200)
    }
    look()
    const end = performance.now() + 2000
    let number = 0
    for (; performance.now() < end;) {
      const text = version(++number)
      if (number % 3 === 0) {
        writeFileSync(`${file}.new`, text)
        renameSync(`${file}.new`, file)
      } else {
        const cut = Math.floor(Math.random() * text.length)
        writeFileSync(file, text.slice(0, cut))
        look()
        await pause(number % 5)
        look()
        writeFileSync(file, text)
      }
      look()
      await pause(number % 10 === 0 ? rest : 1)
      look()
    }
    await pause(rest)
    look()
    expect(catalog.resolve('x')['name']).toBe(`v${number}`)
    expect(errors).toEqual([])
  })

  it('ML10 without watch a file is read once, until refresh', () => {
    const folder = folderOf({ 'x.yaml': 'id: x\nname: one', 'other.yaml': 'id: z' })
    const errors: ModelwireError[] = []
    const catalog = createCatalog({ paths: [folder], onError: (error) => errors.push(error) })
    const [x, z] = [catalog.resolve('x'), catalog.find('z')]
    writeFileSync(join(folder, 'x.yaml'), 'id: x\nname: two!')
    writeFileSync(join(folder, 'y.yaml'), 'id: y')
    expect(catalog.resolve('x')).toBe(x)
    expect(catalog.find('y')).toBeUndefined()
    catalog.refresh()
    expect(catalog.resolve('x')).toEqual({ id: 'x', name: 'two!' })
    expect(catalog.find('y')?.data).toEqual({ id: 'y' })
    expect(catalog.find('z')).toBe(z)
    writeFileSync(join(folder, 'x.yaml'), 'id: x\nname: [')
    utimesSync(join(folder, 'x.yaml'), new Date(), new Date(Date.now() + 5000))
    catalog.refresh()
    expect(catalog.resolve('x')).toEqual({ id: 'x', name: 'two!' })
    expect(errors).toHaveLength(1)
  })
})
