/** Modelwire from its sources, so that a profile can tell its rooms apart. Node strips the types when it loads them. */
import * as sources from '../../src/index.ts'
import type { Connect } from '../conversation.ts'
import { tasksOf } from './modelwire.ts'

export const connect: Connect = (base) => tasksOf(sources, base)
