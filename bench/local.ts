/** What Modelwire adds to llama.cpp in process, on the processor and on a graphics card where there is one. `npm run bench:local`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getLlama, LlamaChat, LlamaLogLevel, resolveChatWrapper } from 'node-llama-cpp'
import type { ChatWrapper, Llama, LlamaContextSequence } from 'node-llama-cpp'
import { createRuntime } from '../dist/index.js'
import type { Runtime } from '../dist/index.js'
import { randomModel } from '../test/tools/gguf.ts'
import { localTable, writeReport } from './report.ts'
import { origin, progress, readOptions, saveResult } from './results.ts'
import type { LocalResult, LocalRow } from './results.ts'
import { median } from './statistics.ts'
import { originLine } from './words.ts'

/** One answer: tokens a second, and milliseconds until its first text. */
interface Answer {
  speed: number
  firstMs: number
}

const options = readOptions({ full: 15, quick: 2 })
const tokens = options.quick ? 100 : 400
const contextLength = 1024
const threads = 1
const prompt = 'Tell me about the weather in the mountains, and what to take along for a walk of two days.'
const sampling = { temperature: 0.8, topP: 0.95, topK: 40, minP: 0.05, seed: 1 }

/** CPU microseconds so far: of the whole process, and of its main thread. */
function spent(): { all: number; main: number } {
  const [all, main] = [process.cpuUsage(), process.threadCpuUsage()]
  return { all: all.user + all.system, main: main.user + main.system }
}

/** `LlamaChat` by hand, on a sequence that forgets what it read. */
async function byHand(sequence: LlamaContextSequence, chatWrapper: ChatWrapper): Promise<Answer> {
  await sequence.clearHistory()
  const chat = new LlamaChat({ contextSequence: sequence, chatWrapper })
  const started = performance.now()
  let firstMs: number | undefined
  const { response } = await chat.generateResponse(
    [
      { type: 'user', text: prompt },
      { type: 'model', response: [] },
    ],
    { ...sampling, maxTokens: tokens, repeatPenalty: false, onTextChunk: () => (firstMs ??= performance.now() - started) },
  )
  const totalMs = performance.now() - started
  chat.dispose({ disposeSequence: false })
  if (response === '' || firstMs === undefined) throw new Error('the binding said nothing')
  return { speed: (tokens / totalMs) * 1000, firstMs }
}

/** The same through Modelwire; `turn` makes the prompt new, so that nothing of it is read already. */
async function through(mw: Runtime, model: string, turn: string): Promise<Answer> {
  const started = performance.now()
  let firstMs: number | undefined
  const { topP, topK, temperature, seed } = sampling
  const stream = mw.stream({ model, prompt: `${turn} ${prompt}`, temperature, topP, topK, seed, maxTokens: tokens })
  for await (const event of stream) if (event.type === 'text') firstMs ??= performance.now() - started
  const totalMs = performance.now() - started
  const { usage, text, finishReason } = await stream.result
  if (text === '' || usage.outputTokens !== tokens || finishReason !== 'length' || firstMs === undefined)
    throw new Error(`Modelwire said ${usage.outputTokens} tokens and finished with ${finishReason}`)
  return { speed: (tokens / totalMs) * 1000, firstMs }
}

async function measure(gpu: 'cpu' | 'auto', file: string, llama: Llama): Promise<LocalRow> {
  const device = gpu === 'cpu' ? 'cpu' : (await llama.getGpuDeviceNames()).join(', ')
  const model = await llama.loadModel({ modelPath: file })
  const context = await model.createContext({ contextSize: contextLength, sequences: 4, threads })
  const sequence = context.getSequence()
  const wrapper = resolveChatWrapper(model)
  const mw = createRuntime({ retry: false, providers: { llama: { gpu, contextLength, sequences: 4, threads } } })
  const named = `llama/${file}`
  const rounds: { direct: Answer; own: Answer; four: number; oneMicros: number; fourMicros: number; fourMainMicros: number }[] = []
  try {
    for (let round = -1; round < options.rounds; round++) {
      progress(`${device}: round ${round + 1} of ${options.rounds}`)
      const direct = await byHand(sequence, wrapper)
      const idle = spent()
      const own = await through(mw, named, String(round + 10))
      const before = spent()
      const started = performance.now()
      await Promise.all([1, 2, 3, 4].map((lane) => through(mw, named, `${lane} ${round}`)))
      const four = ((4 * tokens) / (performance.now() - started)) * 1000
      const after = spent()
      if (round < 0) continue // it warms everything up
      rounds.push({
        direct,
        own,
        four,
        oneMicros: (before.all - idle.all) / tokens,
        fourMicros: (after.all - before.all) / (4 * tokens),
        fourMainMicros: (after.main - before.main) / (4 * tokens),
      })
    }
  } finally {
    progress('')
    await mw.close()
    await model.dispose()
  }
  const middle = (pick: (round: (typeof rounds)[number]) => number): number => median(rounds.map(pick))
  return {
    device,
    direct: middle(({ direct }) => direct.speed),
    modelwire: middle(({ own }) => own.speed),
    ratio: middle(({ direct, own }) => own.speed / direct.speed),
    directFirstMs: middle(({ direct }) => direct.firstMs),
    modelwireFirstMs: middle(({ own }) => own.firstMs),
    laterMs: middle(({ direct, own }) => own.firstMs - direct.firstMs),
    four: middle(({ four }) => four),
    fourRatio: middle(({ own, four }) => four / own.speed),
    oneMicros: middle((round) => round.oneMicros),
    fourMicros: middle((round) => round.fourMicros),
    fourMainMicros: middle((round) => round.fourMainMicros),
  }
}

const folder = mkdtempSync(join(tmpdir(), 'modelwire-bench-'))
try {
  const file = join(folder, 'random.gguf')
  writeFileSync(file, randomModel(1, { layers: 5, width: 192, headWidth: 64 }))
  const quiet = { build: 'never', logLevel: LlamaLogLevel.error, maxThreads: 0 } as const
  const rows: LocalRow[] = []
  const cpu = await getLlama({ ...quiet, gpu: false })
  rows.push(await measure('cpu', file, cpu))
  await cpu.dispose()
  const best = await getLlama({ ...quiet, gpu: 'auto' })
  if (best.gpu !== false) rows.push(await measure('auto', file, best))
  const withoutGpu =
    best.gpu === false ? 'No graphics card was measured: there is none here, or its binding is not installed.' : undefined
  await best.dispose()
  const result: LocalResult = {
    ...origin(),
    rounds: options.rounds,
    model: 'random weights of 2 million parameters, F32',
    rows,
    ...(withoutGpu === undefined ? {} : { withoutGpu }),
  }
  console.log([localTable(result), ...(withoutGpu === undefined ? [] : [withoutGpu]), originLine(result)].join('\n\n'))
  if (options.results) saveResult('local', result, options.results)
  if (options.results && options.docs) writeReport(options.results, options.docs)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
