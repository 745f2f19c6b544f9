/** The wires as one writes them by hand. The clients by hand share that; the SDKs have their own. */
import type { Wire } from './conversation.ts'
import { anthropic } from './wires/anthropic.ts'
import { google } from './wires/google.ts'
import type { Handwritten } from './wires/handwritten.ts'
import { ollama } from './wires/ollama.ts'
import { openai } from './wires/openai.ts'

export const handwritten: Record<Wire, Handwritten> = { openai, anthropic, google, ollama }
