import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { type Place, readResolved, readSource, writeBuilt } from '../../src/manifest/built.ts'
import { bundledProtocols, createCatalog } from '../../src/manifest/catalog.ts'
import { format, positionOf } from '../../src/manifest/position.ts'
import { folderOf } from './folder.ts'

/** By way of the YAML: nothing is built where sources run. */
const yaml = createCatalog({ paths: [bundledProtocols], built: join(bundledProtocols, 'nowhere') })
const wires = (id: string): string[] => Object.keys(yaml.resolve(id)['wires'] ?? {})
/** Each manifest, by itself and on each of its wires. */
const cases = yaml.ids().flatMap((id) => [undefined, ...wires(id)].map((wire): [string, string | undefined] => [id, wire]))
const resolved = (id: string, wire: string | undefined): Record<string, unknown> =>
  wire === undefined ? yaml.resolve(id) : yaml.resolveWire(id, wire)

/** Every entry with its place, in order; what stands nowhere has none. */
function places(node: unknown, path = ''): string[] {
  if (typeof node !== 'object' || node === null) return []
  return Object.entries(node).flatMap(([key, value]) =>
    [`${path}/${key} ${format(positionOf(node, key))}`].concat(places(value, `${path}/${key}`)),
  )
}

/** A copy of the bundled manifests, with what the build makes of it. */
function copied(): Place & { edit: (path: string, change: (text: string) => string) => void } {
  const desk = folderOf({})
  const [root, folder] = [join(desk, 'protocols'), join(desk, 'built')]
  cpSync(bundledProtocols, root, { recursive: true })
  writeBuilt(folder, root, createCatalog({ paths: [root] }))
  const edit = (path: string, change: (text: string) => string): void =>
    writeFileSync(join(root, path), change(readFileSync(join(root, path), 'utf8')))
  return { folder, root, isBare: () => true, edit }
}

/** Marks what was built, so that it can be told from what the YAML says. */
function mark(path: string): void {
  const { data, ...rest } = JSON.parse(readFileSync(path, 'utf8')) as { data: object } // the build's
  writeFileSync(path, JSON.stringify({ ...rest, data: { ...data, docs: 'built' } }))
}

describe('what the build makes of the bundled manifests', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'modelwire-built-'))
    writeBuilt(folder, bundledProtocols, yaml)
    return () => rmSync(folder, { recursive: true, force: true })
  })

  it('has each manifest, and each of its wires', () => {
    expect(cases.length).toBeGreaterThan(yaml.ids().length)
    expect(yaml.ids().length).toBeGreaterThan(0)
  })

  it.each(cases)('says of %s (wire %s) the same as the YAML, with the same places', (id, wire) => {
    const said = readResolved(id, wire, { folder, root: bundledProtocols, isBare: () => true }) ?? {}
    expect(JSON.stringify(said)).toBe(JSON.stringify(resolved(id, wire)))
    expect(places(said)).toEqual(places(resolved(id, wire)))
    expect(places(said).length).toBeGreaterThan(0)
  })

  it.each(cases)('%s (wire %s) rests on every file whose lines are in it', (id, wire) => {
    const files = [...yaml.grounds(id, wire).map(({ file }) => file), 'a manifest']
    for (const place of places(resolved(id, wire))) expect(files.filter((file) => place.includes(` ${file}`))).not.toEqual([])
  })

  it.each(yaml.ids())('gives the file of %s as parsing gives it', (id) => {
    const source = yaml.find(id)
    const read = readSource(source?.file ?? '', id, folder)
    expect(JSON.stringify(read)).toBe(JSON.stringify(source))
    expect(places(read.data)).toEqual(places(source?.data))
  })
})

describe('what was built', () => {
  it('is what a catalog answers with, if no file was changed or laid over it', () => {
    const { folder } = copied()
    const [id, wire] = cases.find(([, name]) => name !== undefined) ?? ['', '']
    mark(join(folder, 'resolved', `${id}.json`))
    mark(join(folder, 'resolved', id, `${wire}.json`))
    const catalog = createCatalog({ paths: [bundledProtocols], built: folder })
    expect(catalog.resolve(id)['docs']).toBe('built')
    expect(catalog.resolve(id)).toBe(catalog.resolve(id))
    expect(catalog.resolveWire(id, wire ?? '')['docs']).toBe('built')

    const [parent] = yaml.grounds(id)
    const text = parent?.text.replace(/^name: .*$/m, 'name: laid over') ?? ''
    const above = folderOf({ 'any.yaml': text })
    const other = createCatalog({ paths: [bundledProtocols, above], built: folder })
    expect(other.resolve(id)['docs']).not.toBe('built')
    expect(other.grounds(id).some(({ file }) => file.startsWith(above))).toBe(true)
    expect(
      createCatalog({ paths: [bundledProtocols], built: folder, env: { MODELWIRE_PROTOCOLS: above } }).resolve(id)['docs'],
    ).not.toBe('built')
    expect(createCatalog({ paths: [bundledProtocols], built: folder, watch: true }).resolve(id)['docs']).not.toBe('built')
  })

  it('is not used where a file that it rests on was changed or is gone', () => {
    const place = copied()
    const [id, wire] = cases.find(
      ([name, of]) => of !== undefined && yaml.grounds(name, of).length > yaml.grounds(name).length,
    ) ?? ['', '']
    const grounds = yaml.grounds(id, wire).map(({ file }) => file.slice(bundledProtocols.length + 1))
    const [first = '', last = ''] = [grounds[0], grounds.at(-1)]
    expect(grounds.length).toBeGreaterThan(1)
    expect(readResolved(id, wire, place)).toEqual(yaml.resolveWire(id, wire ?? ''))
    for (const path of new Set([first, last])) {
      place.edit(path, (text) => `${text}\n`)
      expect(readResolved(id, wire, place)).toBeUndefined()
      place.edit(path, (text) => text.slice(0, -1))
      expect(readResolved(id, wire, place)).toBeDefined()
    }
    rmSync(join(place.root, first))
    expect(readResolved(id, wire, place)).toBeUndefined()
  })

  it('never answers for a manifest that was added, nor for a path', () => {
    const place = copied()
    writeFileSync(join(place.root, 'providers', 'acme.yaml'), 'id: acme')
    expect(readResolved('acme', undefined, place)).toBeUndefined()
    const [id = ''] = yaml.ids()
    expect(readResolved(`../resolved/${id}`, undefined, place)).toBeUndefined()
    expect(readResolved(id, `../${id}`, place)).toBeUndefined()
  })

  it('of a file that was edited since, the file says what it is', () => {
    const built = JSON.stringify({ data: { id: 'x', name: 'built' }, files: [''], places: [0, 1, 1, 0, 2, 1] })
    const now = 'id: x\nname: new'
    const folder = folderOf({ 'x.yaml': now, 'built/texts/x.yaml': now, 'built/written/x.json': built })
    const file = join(folder, 'x.yaml')
    const write = (text: string): void => writeFileSync(join(folder, 'built', 'texts', 'x.yaml'), text)
    expect(readSource(file, 'x', join(folder, 'built')).data).toEqual({ id: 'x', name: 'built' })
    write('id: x\nname: old')
    expect(readSource(file, 'x', join(folder, 'built')).data).toEqual({ id: 'x', name: 'new' })
  })
})
