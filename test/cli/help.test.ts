import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { modelwire } from './run.ts'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }

describe('help', () => {
  it.each([[[]], [['--help']], [['help']]])('%j shows the commands', async (args) => {
    const ran = await modelwire(args)
    expect(ran).toMatchObject({ status: 0, stderr: '' })
    expect(ran.stdout).toMatch(/^Usage: modelwire /)
    for (const command of ['chat', 'embed', 'bench', 'explain', 'validate', 'test', 'new', 'providers', 'models', 'services'])
      expect(ran.stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'))
    expect(ran.stdout).toContain('Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.')
  })

  it.each([
    ['chat'],
    ['embed'],
    ['bench'],
    ['explain'],
    ['validate'],
    ['test'],
    ['new'],
    ['providers'],
    ['models'],
    ['models list'],
    ['models show'],
    ['services'],
    ['services start'],
    ['services status'],
  ])('%s has its own, with examples', async (command) => {
    const ran = await modelwire([...command.split(' '), '--help'])
    expect(ran).toMatchObject({ status: 0, stderr: '' })
    expect(ran.stdout).toContain(`Usage: modelwire ${command}`)
    expect(ran.stdout).toContain('Examples:\n  modelwire ')
    expect(ran.stdout).not.toMatch(/api-key/)
  })

  it('--version says which it is', async () => {
    expect(await modelwire(['--version'])).toEqual({ status: 0, stdout: `${version}\n`, stderr: '' })
  })

  it.each([
    [['caht'], 'did you mean chat?'],
    [['chat', '--sytem', 'x'], 'did you mean --system?'],
    [['dance'], '--help'],
    [['new'], "missing required argument 'id'"],
    [['chat', '--max-tokens', 'x'], 'whole number'],
  ])('%j is wrong usage', async (args, words) => {
    const ran = await modelwire(args)
    expect(ran).toMatchObject({ status: 2, stdout: '' })
    expect(ran.stderr).toMatch(/^error: /)
    expect(ran.stderr).toContain(words)
  })

  it('has no colours where no terminal listens, even when they are forced', async () => {
    const ran = await modelwire(['providers'], { env: { FORCE_COLOR: '1' } })
    expect(ran.stdout).not.toContain('\u001b')
  })
})
