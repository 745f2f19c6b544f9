import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createModelCatalog, type ModelCatalog } from '../../src/models/catalog.ts'
import { randomModel } from '../tools/gguf.ts'

const tiny = randomModel(1)
const manifest = (id: string, more = ''): string => `id: ${id}\nfile: ${id}.gguf\n${more}`

/** A home with these files, gone after the test; the folder of models is `models` in it. */
function home(files: Record<string, string | Uint8Array>): string {
  const path = mkdtempSync(join(tmpdir(), 'modelwire-models-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), content)
  }
  return path
}

function catalogOf(path: string, env: Record<string, string> = {}): ModelCatalog {
  return createModelCatalog({ protocols: [], env: { MODELWIRE_MODELS: join(path, 'models'), ...env }, home: path })
}

describe('models on this machine', () => {
  it('a model is found by its id, with what its manifest says', async () => {
    const path = home({
      'models/small.yaml': manifest(
        'small',
        'name: Small\nsize: 9\ncapabilities: [chat]\nrequirements: { ramGb: 1 }\nconfig: { contextLength: 512 }',
      ),
      'models/small.gguf': tiny,
    })
    const { model } = await catalogOf(path).find('small')
    expect(model).toEqual({
      id: 'small',
      name: 'Small',
      provider: 'llama',
      file: join(path, 'models/small.gguf'),
      files: {},
      present: true,
      size: tiny.length,
      capabilities: ['chat'],
      requirements: { ramGb: 1 },
      config: { contextLength: 512 },
      quantizations: [],
      where: `${join(path, 'models/small.yaml')}:1:1`,
    })
  })

  it('one that is not pulled is known, absent, with its declared size', async () => {
    const path = home({ 'models/small.yaml': manifest('small', 'size: 1234') })
    expect((await catalogOf(path).find('small')).model).toMatchObject({
      present: false,
      size: 1234,
      file: join(path, 'models/small.gguf'),
    })
  })

  it('a model whose tokenizer is missing is not present', async () => {
    const path = home({ 'models/small.yaml': manifest('small', 'files: { tokenizer: t.json }'), 'models/small.gguf': tiny })
    const catalog = catalogOf(path)
    expect((await catalog.find('small')).model).toMatchObject({ present: false, files: { tokenizer: join(path, 'models/t.json') } })
    writeFileSync(join(path, 'models/t.json'), '{}')
    expect((await catalog.find('small')).model.present).toBe(true)
  })

  it('a quantization is found by its name, and its default by its own', async () => {
    const path = home({
      'models/small.yaml': manifest('small', 'quantization: q8_0\nquantizations: { q4_k_m: { file: small-q4.gguf, size: 5 } }'),
      'models/small-q4.gguf': tiny,
    })
    const catalog = catalogOf(path)
    expect((await catalog.find('small:q4_k_m')).model).toMatchObject({ id: 'small:q4_k_m', present: true, quantization: 'q4_k_m' })
    expect((await catalog.find('small:q8_0')).model).toMatchObject({ id: 'small', present: false })
    await expect(catalog.find('small:q4_k_n')).rejects.toMatchObject({
      kind: 'not_found',
      message: expect.stringContaining('did you mean "q4_k_m"'),
      hint: 'it has q8_0, q4_k_m',
    })
  })

  it('a name that nobody knows gets the nearest one', async () => {
    const path = home({ 'models/small.yaml': manifest('small') })
    await expect(catalogOf(path).find('smal')).rejects.toMatchObject({
      kind: 'not_found',
      message: expect.stringContaining('did you mean "small"?'),
    })
  })

  it.each(['../secret', 'a/../../secret', 'small/../../../secret.gguf', 'a:b:c', '', '.hidden', 'x\0y'])(
    'the name %j leads to no file outside of the folders',
    async (name) => {
      const path = home({ 'models/small.yaml': manifest('small'), 'secret.gguf': tiny })
      await expect(catalogOf(path).find(name)).rejects.toMatchObject({ kind: 'not_found' })
    },
  )

  it.each([
    ['an absolute path', (path: string) => join(path, 'models/deep/x.gguf')],
    ['a path from home', () => '~/models/deep/x.gguf'],
    ['a folder with one model', (path: string) => join(path, 'models/deep')],
    ['its id', () => 'deep/x.gguf'],
    ['its id without the ending', () => 'deep/x'],
  ])('a file without a manifest is found by %s', async (_, name) => {
    const path = home({ 'models/deep/x.gguf': tiny })
    const { model } = await catalogOf(path).find(name(path))
    expect(model).toMatchObject({
      file: join(path, 'models/deep/x.gguf'),
      present: true,
      size: tiny.length,
      capabilities: ['chat', 'tools', 'output'],
    })
  })

  it('a folder with several models has to be told which', async () => {
    const path = home({ 'x/a.gguf': tiny, 'x/b.gguf': tiny })
    await expect(catalogOf(path).find(join(path, 'x'))).rejects.toMatchObject({
      kind: 'configuration',
      hint: expect.stringContaining('a.gguf'),
    })
    await expect(catalogOf(path).find(join(path, 'y'))).rejects.toMatchObject({ kind: 'not_found' })
  })

  it('the list has manifests, their quantizations and plain files, each once', async () => {
    const path = home({
      'models/small.yaml': manifest('small', 'quantizations: { q4: { file: q4.gguf } }'),
      'models/small.gguf': tiny,
      'models/plain.gguf': tiny,
      'models/torn.gguf': tiny.subarray(0, 2000),
    })
    const listed = await catalogOf(path).list()
    expect(listed.filter(({ where }) => where?.startsWith(path) ?? true).map(({ id, present }) => [id, present])).toEqual([
      ['small', true],
      ['small:q4', false],
      ['plain.gguf', true],
      ['torn.gguf', true],
    ])
    expect(listed.find(({ id }) => id === 'torn.gguf')?.problem).toContain("isn't whole")
    expect(listed.map(({ id }) => id)).toContain('pocket')
  })

  it('a broken manifest is told where it is listed, and thrown where it is asked for', async () => {
    const path = home({ 'models/small.yaml': manifest('small', 'capabilites: [chat]'), 'models/plain.gguf': tiny })
    const catalog = catalogOf(path)
    expect((await catalog.list()).find(({ id }) => id === 'small')).toMatchObject({
      present: false,
      where: `${join(path, 'models/small.yaml')}:3:1`,
      problem: expect.stringContaining('did you mean "capabilities"'),
    })
    await expect(catalog.find('small')).rejects.toMatchObject({ kind: 'manifest', where: `${join(path, 'models/small.yaml')}:3:1` })
  })

  it.each(['/etc/passwd', '~/x.gguf', 'C:/x.gguf', 'https://example.com/x.gguf', 'a\\b.gguf'])(
    'the file %s is refused',
    async (file) => {
      const path = home({ 'models/small.yaml': `id: small\nfile: '${file}'` })
      await expect(catalogOf(path).find('small')).rejects.toMatchObject({
        kind: 'manifest',
        message: expect.stringContaining('expected a relative path'),
        where: `${join(path, 'models/small.yaml')}:2:1`,
      })
    },
  )

  it('the upper of two manifests with one id wins, and a folder beside manifests of providers counts', async () => {
    const path = home({
      'models/small.yaml': manifest('small', 'name: upper'),
      'protocols/models/small.yaml': manifest('small', 'name: lower'),
      'protocols/models/other.yaml': manifest('other'),
    })
    const catalog = catalogOf(path, { MODELWIRE_PROTOCOLS: join(path, 'protocols') })
    expect((await catalog.find('small')).model.name).toBe('upper')
    expect((await catalog.find('other')).model.file).toBe(join(path, 'protocols/models/other.gguf'))
    expect((await catalog.list()).filter(({ id }) => id === 'small')).toHaveLength(1)
  })

  it('the file of one folder may lie in another', async () => {
    const path = home({ 'lower/small.yaml': manifest('small'), 'models/small.gguf': tiny, 'lower/other.yaml': manifest('other') })
    const catalog = catalogOf(path, { MODELWIRE_MODELS: [join(path, 'models'), join(path, 'lower')].join(':') })
    expect((await catalog.find('small')).model).toMatchObject({ present: true, file: join(path, 'models/small.gguf') })
    expect((await catalog.find('other')).model.file).toBe(join(path, 'lower/other.gguf'))
  })

  it('a split model is one model, present when all its parts are', async () => {
    const path = home({ 'models/big-00001-of-00002.gguf': tiny })
    const catalog = catalogOf(path)
    const listed = async (): Promise<unknown> => (await catalog.list()).filter(({ where }) => where === undefined)
    expect(await listed()).toMatchObject([{ id: 'big-00001-of-00002.gguf', present: false }])
    writeFileSync(join(path, 'models/big-00002-of-00002.gguf'), tiny)
    expect(await listed()).toMatchObject([{ present: true, size: 2 * tiny.length }])
    expect((await catalog.find(join(path, 'models/big-00002-of-00002.gguf'))).model.id).toBe(
      join(path, 'models/big-00001-of-00002.gguf'),
    )
  })

  it('a link that leads out of the folder is not followed', async () => {
    const path = home({ 'outside/x.gguf': tiny, 'outside/y.yaml': manifest('y'), 'models/inside.gguf': tiny })
    symlinkSync(join(path, 'outside'), join(path, 'models/away'))
    symlinkSync(join(path, 'outside/x.gguf'), join(path, 'models/x.gguf'))
    symlinkSync(join(path, 'outside/y.yaml'), join(path, 'models/y.yaml'))
    symlinkSync(join(path, 'models/inside.gguf'), join(path, 'models/again.gguf'))
    const catalog = catalogOf(path)
    const ids = (await catalog.list()).filter(({ where }) => where?.startsWith(path) ?? true).map(({ id }) => id)
    expect(ids.filter((id) => id.endsWith('.gguf'))).toEqual(['again.gguf', 'inside.gguf'])
    await expect(catalog.find('x')).rejects.toMatchObject({ kind: 'not_found' })
    await expect(catalog.find('y')).rejects.toMatchObject({ kind: 'manifest', message: expect.stringContaining('leads out') })
  })

  it('without a folder of models only those of the package are there', async () => {
    const path = home({})
    const catalog = createModelCatalog({ protocols: [], env: {}, home: path })
    expect((await catalog.list()).map(({ id }) => id)).toContain('pocket')
    expect((await catalog.find('pocket')).model.config).toMatchObject({ contextLength: 2048 })
  })
})
