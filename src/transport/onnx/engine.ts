import { ModelwireError } from '../../core/error.ts'
import type { Engine, Locate } from '../../wire/engine.ts'

/** ONNX models in this process. */
export function createOnnxEngine(_locate: Locate): Engine {
  throw new ModelwireError('unsupported', 'not yet')
}
