/** What a path costs, compiled, beside jsonpath-plus and beside plain code. `npm run bench:path`. */
import { measureArea } from './solo.ts'
import { loads } from './subjects/path.ts'

await measureArea('path', loads)
