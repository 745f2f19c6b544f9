import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { bundledProtocols, createCatalog } from '../../src/manifest/catalog.ts'
import { checkManifest } from '../../src/manifest/check.ts'
import { compileService } from '../../src/manifest/service.ts'
import { folderOf } from './folder.ts'

function mistakes(service: string): string[] {
  const file = join(folderOf({ 'x.yaml': `id: x\nbase: http://localhost:1/v1\nservice:\n${service}` }), 'x.yaml')
  const catalog = createCatalog({ paths: [bundledProtocols, file], check: false })
  return checkManifest(file, catalog).map(
    ({ where, message, hint }) => `${where?.line} ${message}${hint === undefined ? '' : ` (${hint})`}`,
  )
}

describe('a service', () => {
  it.each([
    ['  ways: { a: { command: [x, $.apiKey] } }', 'expected the key in `env` alone'],
    ['  ways: { a: { compose: { services: { e: { environment: ["K={$.apiKey}"] } } } } }', 'expected the key in `env` alone'],
    ['  ways: { a: { command: [x, $.modle] } }', 'got "modle"; did you mean "model"?'],
    ['  ways: { a: { env: { A: $.key } } }', 'got "key"'],
    ['  ways: { a: { command: [x], compose: { services: {} } } }', 'one of `command` and `compose`, got both'],
    ['  ways: { a: {} }', 'one of `command` and `compose`, got none'],
    ['  ways: { a: { command: [x], returns: true } }', 'expected `stop.command`'],
    ['  health: { body: { $asbent: true } }', '$asbent'],
  ])('%s is told', (service, message) => {
    expect(mistakes(service).join('\n')).toContain(message)
  })

  const catalog = createCatalog({ paths: [bundledProtocols] })
  const ids = readdirSync(join(bundledProtocols, 'providers')).map((file) => file.replace('.yaml', ''))
  const bundled = ids.flatMap((id) => {
    const service = compileService(catalog.resolve(id))
    return service === undefined ? [] : [{ id, service }]
  })

  it('is bundled for several engines', () => expect(bundled.length).toBeGreaterThanOrEqual(5))

  it.each(bundled)('$id listens on the loopback address, at the port that it is given', ({ service }) => {
    const fields = { model: '/m/x.gguf', folder: '/m', file: 'x.gguf', host: '127.0.0.1', port: 4321, args: ['--more'] }
    const told = service.ways.map(({ command, compose, env }) => {
      if (compose === undefined) return JSON.stringify([command?.(fields, {}), env({ ...fields, apiKey: 'k' }, {})])
      const document = 'document' in compose ? JSON.stringify(compose.document(fields, {})) : ''
      return /"ports":\["([^"]+)"\]/.exec(document)?.[1]
    })
    expect(told.filter((text) => !/4321/.test(text ?? ''))).toEqual([])
    expect(told.filter((text) => /"0\.0\.0\.0|^(?!\[|127\.0\.0\.1:)/.test(text ?? ''))).toEqual([])
  })
})
