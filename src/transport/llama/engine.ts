import { ModelwireError } from '../../core/error.ts'
import type { Engine, Locate } from '../../wire/engine.ts'

/** llama models in this process. */
export function createLlamaEngine(_locate: Locate): Engine {
  throw new ModelwireError('unsupported', 'not yet')
}
