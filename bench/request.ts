/** What it costs to build a request: body and headers, up to the bytes. `npm run bench:request`. */
import { measureArea } from './solo.ts'
import { loads } from './subjects/request.ts'

await measureArea('request', loads)
