import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { anchorsOf, measured, pages, root } from './pages.ts'

/** Until the benchmarks have run once, the page that they write isn't there. */
it.skipIf(!existsSync(join(root, measured)))(`${measured} is there`, () => {
  expect(pages.some(({ text }) => text.includes(measured))).toBe(true)
})

const anchors = new Map(pages.map((page) => [page.name, anchorsOf(page)]))

describe.each(pages)('$name', (page) => {
  const links = [...page.text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/\[[^\]]*\]\((?!https?:)([^)\s]+)\)/g)].map(
    ([, link = '']) => link,
  )

  it('leads only to what is there', () => {
    const broken = links.filter((link) => {
      const [path = '', anchor] = link.split('#')
      const file = path === '' ? page.name : join(dirname(page.name), path)
      if (!existsSync(join(root, file))) return file !== measured
      return anchor !== undefined && anchors.get(file)?.includes(anchor) === false
    })
    expect(broken).toEqual([])
  })

  it('has each heading once', () => {
    const own = anchors.get(page.name) ?? []
    expect(own.filter((anchor, index) => own.indexOf(anchor) !== index)).toEqual([])
  })

  it('says what it says in lines without trailing space', () => {
    expect(page.text.split('\n').flatMap((line, index) => (/\s$/.test(line) ? [index + 1] : []))).toEqual([])
  })
})
