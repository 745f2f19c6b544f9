/**
 * Makes tiny GGUF models of the llama architecture, so that tests can run a real inference server without a download.
 *
 * - `randomModel(seed)`: a working transformer with random weights. It babbles syllables and never ends its turn by itself,
 *   which suits tests of transport, limits, grammar, batching, embeddings and cancelling.
 * - `scriptedModel(scripts)`: a model built by hand that says a given text at any temperature below about 5.
 *
 * The layout is https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, version 3, little-endian.
 */

/** One thing that a scripted model can say. */
export interface Script {
  /** The script is used when the newest message contains this; one without a cue is used when no other fits. */
  cue?: string
  /** What the assistant says. Tool calls are `<tool_call>\n{"name": …, "arguments": …}\n</tool_call>`. */
  say: string
}

/** The size of a random model. More layers and more width make it slower, which tests of cancelling want. */
export interface RandomModelOptions {
  layers?: number
  /** Embedding length; a multiple of the head's width. */
  width?: number
  /** 32, or 64, which some processors' kernels are made for. */
  headWidth?: number
}

interface Token {
  text: string
  kind: number
}

interface Tensor {
  name: string
  /** Row length first: `[in, out]`. */
  shape: number[]
  data: Float32Array
}

interface Shape {
  width: number
  layers: number
  heads: number
  headWidth: number
  hidden: number
}

type Value = string | boolean | { u32: number } | { f32: number } | { strings: string[] } | { f32s: number[] } | { i32s: number[] }

// llama.cpp's token types. The end-of-turn token must be CONTROL, else generation does not stop at it.
const normal = 1
const unknown = 2
const control = 3
const byte = 6

const contextLength = 32_768
const unknownId = 0
const startId = 1
const endId = 2
const special: Token[] = [
  { text: '<unk>', kind: unknown },
  { text: '<s>', kind: control },
  { text: '<|end|>', kind: control },
  ...['system', 'user', 'assistant', 'tool'].map((role) => ({ text: `<|${role}|>`, kind: control })),
]
// All 256, so that any text tokenizes: what no longer token covers falls back to its UTF-8 bytes.
const bytes: Token[] = Array.from({ length: 256 }, (_, value) => ({
  text: `<0x${value.toString(16).toUpperCase().padStart(2, '0')}>`,
  kind: byte,
}))

/**
 * A transformer with random weights, the same for the same seed. Tokens that a reader could not print (bytes outside
 * printable ASCII, control tokens) have zero rows in the output matrix: they stay far behind the winners, so that its text
 * is valid UTF-8 and never ends.
 *
 * Offered tools, it opens a call, which the server's grammar makes a valid one with arguments of the model's own; strings
 * in them end by chance only, so a schema should bound them (`enum`, `maxLength`).
 */
export function randomModel(seed: number, options: RandomModelOptions = {}): Uint8Array {
  const { width = 64, layers = 2, headWidth = 32 } = options
  const shape: Shape = { width, layers, heads: width / headWidth, headWidth, hidden: width * 2 }
  const syllables = [...'bdfgklmnprstvz'].flatMap((consonant) => [...'aeiou'].map((vowel) => consonant + vowel))
  // The tokenizer merges upwards, so a syllable is reachable from text only where its letters are tokens too.
  const words = ['▁', ...'abcdefghijklmnopqrstuvwxyz', ...syllables, ...syllables.map((syllable) => `▁${syllable}`)]
  const tokens = [...special, ...bytes, ...words.map((text) => ({ text, kind: normal }))]
  // Not <|call|>: llama.cpp takes a token of that name for the end of a turn, and aborts when a prompt ends in one.
  const callId = tokens.push({ text: '<|open|>', kind: control }) - 1
  const openId = tokens.push({ text: '<tool_call>\n', kind: normal }) - 1
  const closeId = tokens.push({ text: '\n</tool_call>', kind: normal }) - 1
  const braceId = special.length + 0x7d // the byte "}"

  const random = noise(seed)
  const embedding = random(width * tokens.length, 1)
  const output = random(width * tokens.length, 3 / Math.sqrt(width)) // logits with a deviation of 3: lively, yet not flat
  for (const [id, token] of tokens.entries()) {
    const value = id - special.length
    const printable = token.kind === normal || (token.kind === byte && value >= 0x20 && value < 0x7f)
    if (!printable || id === openId || id === closeId || id === braceId) output.fill(0, id * width, (id + 1) * width)
  }
  // A few steps are certain: a call is opened where the template asks for it, closed as soon as a brace allows, and ends the
  // turn; other JSON ends it too. Each has a column of the residual stream to itself, which nothing else reads or writes.
  const steps = [
    { from: callId, to: [openId] },
    { from: braceId, to: [closeId, endId] }, // a brace comes only where a grammar asks for it
    { from: closeId, to: [endId] },
  ]
  for (const [column, { from, to }] of steps.entries()) {
    for (const id of tokens.keys()) embedding[id * width + column] = output[id * width + column] = 0
    embedding[from * width + column] = 1000 // drowns the others; after the norm it is √width
    for (const [rank, id] of to.entries()) output[id * width + column] = (40 - 20 * rank) / Math.sqrt(width)
  }
  const weights = (tensor: string, rows: number, columns: number): Float32Array => {
    const matrix = random(rows * columns, 1 / Math.sqrt(rows))
    return /output|down/.test(tensor) ? matrix.fill(0, 0, steps.length * rows) : matrix // these two write into it
  }
  const start = "{% if tools and messages[-1].role != 'tool' %}<|open|>{% endif %}"
  return model(`random-${seed}`, tokens, chatTemplate(start), shape, embedding, output, weights)
}

/**
 * A model that says its script. All its blocks write zeros, so the last token alone decides the next: a chain from token to
 * successor. Each piece of a script is a token of its own, and the chat template, the one part of a GGUF that can read,
 * ends the prompt with the first token of the script whose cue the newest message contains.
 *
 * Embeddings are rows of a Hadamard matrix, which are exactly orthogonal: the successor's logit is 40, all others are 0.
 */
export function scriptedModel(scripts: string | readonly Script[]): Uint8Array {
  const list = typeof scripts === 'string' ? [{ say: scripts }] : scripts
  const tokens = [...special, ...bytes, { text: '▁', kind: normal }]
  const used = new Set(tokens.map((token) => token.text))
  const next = new Map<number, number>()
  const starts = list.map((script, index) => {
    let last = tokens.push({ text: `<|say:${index}|>`, kind: control }) - 1
    for (const text of pieces(script.say, used)) {
      const id = tokens.push({ text, kind: normal }) - 1
      next.set(last, id)
      last = id
    }
    return `<|say:${index}|>`
  })

  const width = 2 ** Math.ceil(Math.log2(tokens.length))
  const embedding = new Float32Array(width * tokens.length)
  const output = new Float32Array(width * tokens.length)
  for (const id of tokens.keys()) {
    const successor = next.get(id) ?? endId // outside every script, and at the end of one, the turn ends
    for (let column = 0; column < width; column++) {
      const sign = parity(id & column) === 0 ? 1 : -1
      embedding[id * width + column] = sign
      output[successor * width + column]! += (sign * 40) / width // in range: both arrays have a row for every token
    }
  }
  const shape: Shape = { width, layers: 1, heads: 1, headWidth: 32, hidden: 32 }
  const zeros = (_tensor: string, rows: number, columns: number): Float32Array => new Float32Array(rows * columns)
  return model('scripted', tokens, chatTemplate(choice(list, starts)), shape, embedding, output, zeros)
}

/** Words with their leading space and runs of punctuation; a piece that was used before is joined with what follows it. */
function pieces(text: string, used: Set<string>): string[] {
  const result: string[] = []
  let open = ''
  for (const part of text.replaceAll(' ', '▁').match(/▁*\n*(?:[\p{L}\p{N}_]+|[^\p{L}\p{N}_▁\n]+|$)/gu) ?? []) {
    open += part
    if (open === '' || used.has(open)) continue
    used.add(open)
    result.push(open)
    open = ''
  }
  while (open !== '') {
    // the end is no new token: it grows backwards until it is one
    const last = result.pop()
    if (last === undefined) throw new Error(`the script ${JSON.stringify(text)} is also the beginning of another one`)
    open = last + open
    if (used.has(open)) continue
    used.add(open)
    result.push(open)
    open = ''
  }
  return result
}

/** The Jinja expression that ends the prompt with a script's first token. */
function choice(scripts: readonly Script[], starts: readonly string[]): string {
  const fallback = scripts.findLastIndex((script) => script.cue === undefined)
  const cued = scripts.flatMap((script, index) =>
    script.cue === undefined ? [] : [`{%- if ${JSON.stringify(script.cue)} in newest %}${starts[index]}{% else %}`],
  )
  return cued.join('') + (starts[fallback] ?? '') + '{% endif %}'.repeat(cued.length)
}

// Tool calls are written as Hermes and Qwen write them, which servers know how to read back.
const chatTemplate = (start: string): string => `\
{%- if tools %}<|system|>You may call these functions:
{%- for tool in tools %}
{{ tool.function | tojson }}
{%- endfor %}<|end|>{% endif %}
{%- for message in messages %}<|{{ message.role }}|>
{%- if message.reasoning_content %}<think>{{ message.reasoning_content }}</think>{% endif %}
{%- if message.content %}{{ message.content }}{% endif %}
{%- for call in message.tool_calls or [] %}<tool_call>
{"name": {{ call.function.name | tojson }}, "arguments": {{ call.function.arguments | tojson }}}
</tool_call>{% endfor %}<|end|>
{%- endfor %}
{%- if add_generation_prompt %}{% set newest = messages[-1].content ~ '' %}<|assistant|>${start}{% endif %}`

function model(
  name: string,
  tokens: readonly Token[],
  template: string,
  shape: Shape,
  embedding: Float32Array,
  output: Float32Array,
  weights: (tensor: string, rows: number, columns: number) => Float32Array,
): Uint8Array {
  const { width, layers, heads, headWidth, hidden } = shape
  const attention = heads * headWidth
  const ones = (): Float32Array => new Float32Array(width).fill(1)
  const matrix = (tensor: string, rows: number, columns: number): Tensor => ({
    name: `${tensor}.weight`,
    shape: [rows, columns],
    data: weights(tensor, rows, columns),
  })
  const tensors: Tensor[] = [{ name: 'token_embd.weight', shape: [width, tokens.length], data: embedding }]
  for (let layer = 0; layer < layers; layer++) {
    const block = `blk.${layer}`
    tensors.push(
      { name: `${block}.attn_norm.weight`, shape: [width], data: ones() },
      matrix(`${block}.attn_q`, width, attention),
      matrix(`${block}.attn_k`, width, attention),
      matrix(`${block}.attn_v`, width, attention),
      matrix(`${block}.attn_output`, attention, width),
      { name: `${block}.ffn_norm.weight`, shape: [width], data: ones() },
      matrix(`${block}.ffn_gate`, width, hidden),
      matrix(`${block}.ffn_up`, width, hidden),
      matrix(`${block}.ffn_down`, hidden, width),
    )
  }
  tensors.push(
    { name: 'output_norm.weight', shape: [width], data: ones() },
    { name: 'output.weight', shape: [width, tokens.length], data: output },
  )
  const metadata: Record<string, Value> = {
    'general.architecture': 'llama',
    'general.name': name,
    'general.file_type': { u32: 0 }, // all F32
    'general.alignment': { u32: alignment },
    'llama.vocab_size': { u32: tokens.length },
    'llama.context_length': { u32: contextLength },
    'llama.embedding_length': { u32: width },
    'llama.block_count': { u32: layers },
    'llama.feed_forward_length': { u32: hidden },
    'llama.attention.head_count': { u32: heads },
    'llama.attention.head_count_kv': { u32: heads },
    'llama.attention.key_length': { u32: headWidth },
    'llama.attention.value_length': { u32: headWidth },
    'llama.attention.layer_norm_rms_epsilon': { f32: 1e-5 },
    'llama.rope.dimension_count': { u32: headWidth },
    'llama.rope.freq_base': { f32: 10_000 },
    'tokenizer.ggml.model': 'llama', // SentencePiece: needs no list of merges, and a space is ▁
    'tokenizer.ggml.pre': 'default',
    'tokenizer.ggml.tokens': { strings: tokens.map((token) => token.text) },
    'tokenizer.ggml.scores': { f32s: tokens.map(() => 0) },
    'tokenizer.ggml.token_type': { i32s: tokens.map((token) => token.kind) },
    'tokenizer.ggml.unknown_token_id': { u32: unknownId },
    'tokenizer.ggml.bos_token_id': { u32: startId },
    'tokenizer.ggml.eos_token_id': { u32: endId },
    'tokenizer.ggml.eot_token_id': { u32: endId },
    'tokenizer.ggml.add_bos_token': true,
    'tokenizer.ggml.add_eos_token': false,
    'tokenizer.ggml.add_space_prefix': false,
    'tokenizer.chat_template': template,
  }
  return gguf(metadata, tensors)
}

const alignment = 32

function gguf(metadata: Record<string, Value>, tensors: readonly Tensor[]): Uint8Array {
  const head = [text('GGUF'), u32(3), u64(tensors.length), u64(Object.keys(metadata).length)]
  for (const [key, value] of Object.entries(metadata)) head.push(...string(key), ...typed(value))
  let offset = 0 // counts from the aligned start of the data, not of the file
  for (const { name, shape, data } of tensors) {
    head.push(...string(name), u32(shape.length), ...shape.map(u64), u32(0 /* F32 */), u64(offset))
    offset += aligned(data.byteLength)
  }
  const start = aligned(head.reduce((sum, part) => sum + part.length, 0))
  const file = new Uint8Array(start + offset)
  let at = 0
  for (const part of head) {
    file.set(part, at)
    at += part.length
  }
  at = start
  for (const { data } of tensors) {
    // In memory order: every platform that Node runs tests on is little-endian.
    file.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at)
    at += aligned(data.byteLength)
  }
  return file
}

function typed(value: Value): Uint8Array[] {
  if (typeof value === 'string') return [u32(8), ...string(value)]
  if (typeof value === 'boolean') return [u32(7), Uint8Array.of(value ? 1 : 0)]
  if ('u32' in value) return [u32(4), u32(value.u32)]
  if ('f32' in value) return [u32(6), f32(value.f32)]
  const [type, values] =
    'strings' in value ? [8, value.strings.flatMap(string)] : 'f32s' in value ? [6, value.f32s.map(f32)] : [5, value.i32s.map(i32)]
  const length = type === 8 ? values.length / 2 : values.length // a string is two parts: its length and its bytes
  return [u32(9), u32(type), u64(length), ...values]
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const u32 = (value: number): Uint8Array => number(4, (view) => view.setUint32(0, value, true))
const i32 = (value: number): Uint8Array => number(4, (view) => view.setInt32(0, value, true))
const f32 = (value: number): Uint8Array => number(4, (view) => view.setFloat32(0, value, true))
const u64 = (value: number): Uint8Array => number(8, (view) => view.setBigUint64(0, BigInt(value), true))

function string(value: string): Uint8Array[] {
  const encoded = text(value)
  return [u64(encoded.length), encoded]
}

function number(size: number, write: (view: DataView) => void): Uint8Array {
  const result = new Uint8Array(size)
  write(new DataView(result.buffer))
  return result
}

const aligned = (size: number): number => Math.ceil(size / alignment) * alignment

function parity(bits: number): number {
  let result = 0
  for (let rest = bits; rest !== 0; rest &= rest - 1) result ^= 1
  return result
}

/** Evenly distributed noise of a given deviation, from mulberry32: small, seeded, the same on every machine. */
function noise(seed: number): (length: number, deviation: number) => Float32Array {
  let state = seed >>> 0
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return (length, deviation) => Float32Array.from({ length }, () => (uniform() * 2 - 1) * Math.sqrt(3) * deviation)
}
