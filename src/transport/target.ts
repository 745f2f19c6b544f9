/** Where a call goes. */
export interface Target {
  origin: string
  host: string
  /** With the query. */
  path: string
}

const targets = new Map<string, Target>()
const plainQuery = /^(?:\?[\w%&=.~+*-]*)?$/ // a URL's parser would leave it as it is

/** Where a URL leads; undefined when it is no http(s) URL. What stands before its query is parsed once: the query may hold a key. */
export function targetOf(text: string): Target | undefined {
  const mark = text.indexOf('?')
  const [front, query] = mark < 0 ? [text, ''] : [text.slice(0, mark), text.slice(mark)]
  const known = targets.get(front)
  if (known !== undefined && plainQuery.test(query)) return { ...known, path: known.path + query }
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) return undefined
  const { origin, host, pathname, search } = url
  if (targets.size >= 256) targets.clear() // model names may come from outside
  if (!front.includes('#')) targets.set(front, { origin, host, path: pathname })
  return { origin, host, path: pathname + search }
}
