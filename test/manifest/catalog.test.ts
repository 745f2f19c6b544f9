import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bundledProtocols, createCatalog, type Catalog } from '../../src/manifest/catalog.ts'
import { format, positionOf } from '../../src/manifest/position.ts'
import { folderOf } from './folder.ts'

/** A catalog of one layer a map of files, the later over the earlier. */
function catalogOf(...layers: Record<string, string>[]): Catalog {
  return createCatalog({ paths: layers.map(folderOf) })
}

const mistake = (message: string, where?: string): unknown =>
  expect.objectContaining({
    kind: 'manifest',
    message,
    ...(where ? { where: expect.stringMatching(new RegExp(`/${where}$`)) } : {}),
  })

describe('what there is', () => {
  it('is listed by id, whatever the files are called and wherever they lie', () => {
    const catalog = catalogOf({
      'b.yaml': 'id: b',
      'sub/deep/er/c.yml': 'id: c',
      'other.yaml': "# hi\nid: 'a' # it\nname: a",
      'no.txt': 'id: d',
      '.hidden.yaml': 'id: e',
    })
    expect(catalog.ids()).toEqual(['a', 'b', 'c'])
    expect(catalog.find('a')?.data).toEqual({ id: 'a', name: 'a' })
    expect(basename(catalog.file('c') ?? '')).toBe('c.yml')
    expect(catalog.find('d')).toBeUndefined()
  })

  it('leaves out folders of models and tasks, and what lies four deep', () => {
    const catalog = catalogOf({
      'models/a.yaml': 'id: a',
      'tasks/b.yaml': 'id: b',
      'node_modules/c.yaml': 'id: c',
      '1/2/3/4/d.yaml': 'id: d',
      'e.yaml': 'id: e',
    })
    expect(catalog.ids()).toEqual(['e'])
  })

  it('comes from the uppermost layer', () => {
    const catalog = catalogOf({ 'x.yaml': 'id: x\nname: low', 'y.yaml': 'id: y' }, { 'any.yaml': 'id: x\nname: high' })
    expect(catalog.find('x')?.data['name']).toBe('high')
    expect(catalog.ids()).toEqual(['x', 'y'])
  })

  it('may be one file', () => {
    const folder = folderOf({ 'one.yaml': 'id: one', 'two.yaml': 'id: two' })
    expect(createCatalog({ paths: [join(folder, 'one.yaml')] }).ids()).toEqual(['one'])
  })

  it('comes from MODELWIRE_PROTOCOLS too, below the paths that were named', () => {
    const [low, high] = [folderOf({ 'x.yaml': 'id: x\nname: low', 'y.yaml': 'id: y' }), folderOf({ 'x.yaml': 'id: x\nname: high' })]
    const catalog = createCatalog({ paths: [bundledProtocols, high], env: { MODELWIRE_PROTOCOLS: low } })
    expect(catalog.find('x')?.data['name']).toBe('high')
    expect(catalog.find('y')?.data['id']).toBe('y')
  })

  it('is not looked for before someone asks', () => {
    const catalog = createCatalog({ paths: ['/nowhere/at/all'] })
    expect(() => catalog.ids()).toThrow(
      expect.objectContaining({ kind: 'configuration', message: expect.stringContaining('/nowhere/at/all') }),
    )
  })

  it('is at most 2,000 files', () => {
    const folder = folderOf({})
    for (let index = 0; index <= 2000; index++) writeFileSync(join(folder, `m${index}.yaml`), '')
    expect(() => createCatalog({ paths: [folder] }).ids()).toThrow(
      expect.objectContaining({ kind: 'configuration', message: expect.stringContaining('at most 2000') }),
    )
  })

  it('still works beside a broken file', () => {
    const catalog = catalogOf({
      'good.yaml': 'id: good',
      'bad.yaml': 'id: bad\nbase: [',
      'worse.yaml': '\0\0',
      'wrong.yaml': 'id: wrong\nbsae: x\nahth: y',
    })
    expect(catalog.ids()).toEqual(['bad', 'good', 'wrong'])
    expect(catalog.resolve('good')).toEqual({ id: 'good' })
    expect(() => catalog.resolve('bad')).toThrow(expect.objectContaining({ kind: 'manifest' }))
    expect(() => catalog.find('worse')).toThrow(expect.objectContaining({ kind: 'manifest' }))
    expect(() => catalog.resolve('wrong')).toThrow(
      mistake('expected a key of Manifest, got "bsae"; did you mean "base"? (and 1 more)', 'wrong.yaml:2:1'),
    )
  })

  it('says what an unknown id was meant to be', () => {
    const catalog = catalogOf({ 'together.yaml': 'id: together' })
    expect(() => catalog.resolve('togther')).toThrow(
      expect.objectContaining({
        kind: 'configuration',
        message: 'there is no provider or dialect "togther"; did you mean "together"?',
        hint: expect.stringContaining('`modelwire providers`'),
      }),
    )
  })
})

describe('a manifest that extends others', () => {
  it('takes over everything but id, name, docs and status', () => {
    const catalog = catalogOf({
      'dialect.yaml': 'id: dialect\nname: D\ndocs: d\nstatus: s\nheaders: { a: "1", b: "2" }\nerrors: [{ when: x, kind: timeout }]',
      'middle.yaml': 'id: middle\nextends: dialect\nheaders: { b: null, c: "3" }',
      'leaf.yaml': 'id: leaf\nextends: middle\nbase: https://x\nerrors+: [{ when: y, kind: conflict }]',
    })
    expect(catalog.resolve('leaf')).toEqual({
      id: 'leaf',
      base: 'https://x',
      headers: { a: '1', c: '3' },
      errors: [
        { when: 'x', kind: 'timeout' },
        { when: 'y', kind: 'conflict' },
      ],
    })
    expect(catalog.resolve('dialect')['name']).toBe('D')
    expect(catalog.resolve('leaf')).toBe(catalog.resolve('leaf'))
  })

  it('knows for each entry the file that it came from', () => {
    const catalog = catalogOf({ 'a.yaml': 'id: a\nheaders: { a: "1" }', 'b.yaml': 'id: b\nextends: a\nheaders:\n  b: "2"' })
    const headers = catalog.resolve('b')['headers'] as object
    expect(['a', 'b'].map((key) => format(positionOf(headers, key)).replace(/^.*\//, ''))).toEqual(['a.yaml:2:12', 'b.yaml:4:3'])
  })

  it('mixes several, the later over the earlier', () => {
    const catalog = catalogOf({
      'chat.yaml': 'id: chat\noperations: { chat: { post: /chat } }\nheaders: { v: "1" }',
      'embed.yaml': 'id: embed\noperations: { embed: { post: /embed } }\nheaders: { v: "2" }',
      'both.yaml': 'id: both\nextends: [chat, embed]',
    })
    expect(catalog.resolve('both')).toEqual({
      id: 'both',
      operations: { chat: { post: '/chat' }, embed: { post: '/embed' } },
      headers: { v: '2' },
    })
  })

  it('may extend its own id of a lower layer, which reaches all who extend it', () => {
    const catalog = catalogOf(
      { 'd.yaml': 'id: d\nheaders: { a: "1" }', 'p.yaml': 'id: p\nextends: d\nbase: https://p' },
      { 'd.yaml': 'id: d\nextends: d\nheaders: { b: "2" }' },
      { 'p.yaml': 'id: p\nextends: p\nbase: https://proxy' },
    )
    expect(catalog.resolve('p')).toEqual({ id: 'p', base: 'https://proxy', headers: { a: '1', b: '2' } })
  })

  it('replaces auth as a whole', () => {
    const catalog = catalogOf({
      'a.yaml': 'id: a\nauth: { bearer: A }',
      'b.yaml': 'id: b\nextends: a\nauth: { header: { x-key: B } }',
    })
    expect(catalog.resolve('b')['auth']).toEqual({ header: { 'x-key': 'B' } })
  })

  it.each([
    ['itself', { 'a.yaml': 'id: a\nextends: a' }, 'expected the id of a manifest, got "a", which no lower layer has', 'a.yaml:2:1'],
    [
      'each other',
      { 'a.yaml': 'id: a\nextends: b', 'b.yaml': 'id: b\nextends: [c]', 'c.yaml': 'id: c\nname: c\nextends: a' },
      'expected manifests that end somewhere, got the circle a → b → c → a',
      'c.yaml:3:1',
    ],
    [
      'nobody',
      { 'a.yaml': 'id: a\nextends: openai-chta', 'o.yaml': 'id: openai-chat' },
      'expected the id of a manifest, got "openai-chta", which nobody has; did you mean "openai-chat"?',
      'a.yaml:2:1',
    ],
  ])('must not extend %s', (_, files, message, where) => {
    expect(() => catalogOf(files as Record<string, string>).resolve('a')).toThrow(mistake(message, where))
  })

  it('a ladder of twenty pairs is no bomb', () => {
    const files = Object.fromEntries(
      Array.from({ length: 21 }, (_, step) => [
        `m${step}.yaml`,
        `id: m${step}${step > 0 ? `\nextends: [m${step - 1}, m${step - 1}]` : ''}\nerrors+: [{ when: x, kind: timeout }]`,
      ]),
    )
    const catalog = catalogOf(files)
    const begin = performance.now()
    expect(catalog.resolve('m20')['errors']).toHaveLength(21)
    expect(performance.now() - begin).toBeLessThan(2000)
  })
})

describe('a wire', () => {
  const files = {
    'responses.yaml': 'id: responses\nheaders: { beta: "r" }\noperations: { chat: { post: /responses } }',
    'chat.yaml': 'id: chat\nheaders: { style: c }\noperations: { chat: { post: /chat, docs: d } }',
    'p.yaml': `id: p\nname: P\nextends: responses\nbase: https://p\nauth: { bearer: P_KEY }\nheaders: { org: o }
define: { own: $.x }
wires:
  chat: { extends: chat, name: P chat, operations: { chat: { docs: null } } }
  bare: { base: https://bare }`,
  }

  it('is its own dialect with the address and auth of its provider, without the dialect of the main wire', () => {
    expect(catalogOf(files).resolveWire('p', 'chat')).toEqual({
      id: 'p',
      name: 'P chat',
      base: 'https://p',
      auth: { bearer: 'P_KEY' },
      headers: { style: 'c', org: 'o' },
      operations: { chat: { post: '/chat' } },
    })
    expect(catalogOf(files).resolveWire('p', 'bare')).toEqual({
      id: 'p',
      name: 'P',
      base: 'https://bare',
      auth: { bearer: 'P_KEY' },
      headers: { org: 'o' },
    })
  })

  it('stays in the resolved manifest as it was written', () => {
    expect(Object.keys(catalogOf(files).resolve('p')['wires'] as object)).toEqual(['chat', 'bare'])
    expect((catalogOf(files).resolve('p')['wires'] as Record<string, object>)['chat']).toHaveProperty('operations.chat.docs', null)
  })

  it('follows a provider that is changed from above', () => {
    const catalog = catalogOf(files, {
      'p.yaml': 'id: p\nextends: p\nbase: https://proxy\nwires: { chat: { headers: { more: m } } }',
    })
    expect(catalog.resolveWire('p', 'chat')).toEqual({
      id: 'p',
      name: 'P chat',
      base: 'https://proxy',
      auth: { bearer: 'P_KEY' },
      headers: { style: 'c', org: 'o', more: 'm' },
      operations: { chat: { post: '/chat' } },
    })
  })

  it('is gone when null stands in its place above', () => {
    const catalog = catalogOf(files, { 'p.yaml': 'id: p\nextends: p\nwires: { chat: null }' })
    expect(Object.keys(catalog.resolve('p')['wires'] as object)).toEqual(['bare'])
    expect(() => catalog.resolveWire('p', 'chat')).toThrow(expect.objectContaining({ hint: 'Its wires are bare.' }))
    expect(() => catalog.resolveWire('p', 'constructor')).toThrow(expect.objectContaining({ kind: 'configuration' }))
  })

  it('is an error that lists the others when nobody has it', () => {
    const catalog = catalogOf(files)
    expect(() => catalog.resolveWire('p', 'caht')).toThrow(
      expect.objectContaining({
        kind: 'configuration',
        message: 'expected a wire of "p", got "caht"; did you mean "chat"?',
        hint: 'Its wires are chat, bare.',
      }),
    )
    expect(() => catalog.resolveWire('chat', 'x')).toThrow(
      expect.objectContaining({ kind: 'configuration', hint: 'It has no other wires.' }),
    )
  })
})

describe('ML9 nothing is read outside the folders', () => {
  it.each(['../secret', 'sub/x', '/etc/passwd', '..', '.x', 'X', 'file:x', 'http://x', 'x\0', '__proto__', ''])(
    'ML9 the id %j is nobody',
    (id) => {
      const outer = folderOf({ 'secret.yaml': 'id: secret', 'in/x.yaml': 'id: x', 'in/sub/x.yaml': 'id: x' })
      const catalog = createCatalog({ paths: [join(outer, 'in')] })
      expect(catalog.find(id)).toBeUndefined()
      expect(catalog.file(id)).toBeUndefined()
      expect(() => catalog.resolve(id)).toThrow(expect.objectContaining({ kind: 'configuration' }))
    },
  )

  it.each(['../secret', 'file:///etc/passwd', 'http://example.com/x.yaml', '/etc/passwd'])(
    'ML9 a manifest can not extend %s',
    (parent) => {
      const catalog = catalogOf({ 'x.yaml': `id: x\nextends: ${parent}`, 'y.yaml': `id: y\nextends: [x, "${parent}"]` })
      expect(() => catalog.resolve('x')).toThrow(
        expect.objectContaining({ kind: 'manifest', message: expect.stringMatching(/^expected an id .*got/) }),
      )
      expect(() => catalog.resolve('y')).toThrow(expect.objectContaining({ kind: 'manifest' }))
    },
  )

  it('ML9 a symbolic link out of the folder is refused, one within it is followed', () => {
    const outside = folderOf({ 'secret.yaml': 'id: secret', 'deep/other.yaml': 'id: other' })
    const folder = folderOf({ 'real.yaml': 'id: real' })
    symlinkSync(join(outside, 'secret.yaml'), join(folder, 'secret.yaml'))
    symlinkSync(join(outside, 'secret.yaml'), join(folder, 'renamed.yaml'))
    symlinkSync(join(outside, 'deep'), join(folder, 'deep'))
    symlinkSync(join(folder, 'real.yaml'), join(folder, 'link.yaml'))
    symlinkSync(folder, join(folder, 'circle'))
    mkdirSync(join(folder, 'sub'))
    symlinkSync(join(folder, 'gone.yaml'), join(folder, 'dangling.yaml'))
    const catalog = createCatalog({ paths: [folder] })
    expect(catalog.ids()).toEqual(['real'])
    expect(() => catalog.find('secret')).toThrow(
      mistake('expected a file inside its folder, got a symbolic link that leads out of it'),
    )
    expect(catalog.find('other')).toBeUndefined()
    expect(catalog.find('real')?.data).toEqual({ id: 'real' })
  })
})
