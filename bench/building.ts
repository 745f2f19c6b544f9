/** How Modelwire builds a call, without sending it: its own floors, as they stand in `src/`. */
import { readSecrets } from '../src/client/credentials.ts'
import { loadMedia } from '../src/client/media.ts'
import { createPlan } from '../src/client/planning.ts'
import { createRegistry } from '../src/client/registry.ts'
import { normalizeChat } from '../src/core/normalize.ts'
import type { ChatRequest } from '../src/core/request.ts'
import { bundledProtocols, createCatalog } from '../src/manifest/catalog.ts'
import { authorize } from '../src/wire/auth.ts'
import type { Call } from '../src/wire/call.ts'

const options = { providers: { openai: { apiKey: 'k', wire: 'chat' }, anthropic: { apiKey: 'k' } } }

/** From a request to what the transport is given: normalised, planned, written as JSON, with its key. */
export function createBuilder(): (request: ChatRequest) => Call {
  const plan = createPlan(options, {}, createRegistry(createCatalog({ paths: [bundledProtocols] })))
  return (request) => {
    const media = loadMedia(request)
    const { operation, provider, settings, prepared } = plan(request, 'chat', (model, named) =>
      normalizeChat(media, model, named, true),
    )
    return authorize(prepared.call, operation.auth, readSecrets(operation, provider, settings.own, {}))
  }
}
