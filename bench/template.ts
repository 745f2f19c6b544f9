/** What the templates of each dialect cost: to compile once, and to render for each request. `npm run bench:template`. */
import { measureArea } from './solo.ts'
import { loads } from './subjects/template.ts'

await measureArea('template', loads)
