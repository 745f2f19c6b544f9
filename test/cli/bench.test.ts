import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { canary, chunk, demo, head, last, sse, streamed, whole } from '../tools/demo.ts'
import { type Script, type Served, serveBytes, type Wire } from '../tools/server.ts'
import { folder, type How, modelwire, type Ran } from './run.ts'

interface Setup {
  server: Served
  bench: (args: string[], how?: How) => Promise<Ran>
  /** What was sent, as data. */
  sent: () => Record<string, unknown>[]
}

async function setup(script: Script): Promise<Setup> {
  const server = await serveBytes(script)
  const protocols = folder({ 'demo.yaml': demo(server.url) })
  return {
    server,
    bench: (args, how = {}) =>
      modelwire(['bench', '--protocols', protocols, ...args], { ...how, env: { DEMO_KEY: canary, ...how.env } }),
    sent: () => server.requests.map(({ body }) => JSON.parse(body.toString()) as Record<string, unknown>),
  }
}

/** Two pieces of text, and the counts: two reads, so that there is a speed. */
async function speak(wire: Wire, { before = 0, between = 15, out = 3 } = {}): Promise<void> {
  await wire.wait(before)
  wire.write(head() + chunk(sse({ id: 'r', model: 'm1' }, { text: 'It is ' })).toString())
  await wire.wait(between)
  wire.write(chunk(sse({ text: 'blue.' }, { stop: 'done' }, { sum: { in: 5, out } }, '[END]')).toString() + last)
}

interface Spread {
  count: number
  mean: number
  min: number
  max: number
  p50: number
  p90: number | null
  p99: number | null
}
interface Document {
  interrupted: boolean
  models: {
    model: string
    succeeded: number
    failed: number
    errors: Record<string, number>
    firstTokenMs: Spread | null
    tokensPerSecond: Spread | null
    totalMs: Spread | null
    outputTokens: { total: number; mean: number } | null
    wallMs: number
    throughput: number | null
    calls: { firstTokenMs: number | null; totalMs: number; tokensPerSecond: number | null; error: { kind: string } | null }[]
  }[]
}

const read = (ran: Ran): Document => JSON.parse(ran.stdout) as Document
const one = (ran: Ran): Document['models'][number] => {
  const { models } = read(ran)
  expect(models).toHaveLength(1)
  return models[0] as Document['models'][number] // just counted
}
const keys = (value: unknown): string[] => Object.keys(value as object)

describe('bench measures', () => {
  it('a model in a table on standard output, and says nothing else but what the numbers are', async () => {
    const { bench, sent } = await setup((wire) => speak(wire))
    const ran = await bench(['-m', 'demo/m1', '--rounds', '3'])
    expect(ran.status).toBe(0)
    const [titles = '', row = '', ...rest] = ran.stdout.split('\n')
    expect(titles.split(/ {2,}/)).toEqual(['model', 'first token', 'tok/s', 'total', 'in', 'out', 'calls'])
    expect(row).toMatch(/^demo\/m1 +[\d.]+ ms +\d+ +[\d.]+ ms +5 +3 +3$/)
    expect(rest).toEqual([''])
    expect(ran.stderr).toBe('medians and means of streamed calls, one at once, at most 128 tokens each\n')
    expect(sent()).toHaveLength(4) // one before them that doesn't count
    expect(new Set(sent().map((body) => JSON.stringify(body))).size).toBe(1)
    expect(sent()[0]).toMatchObject({ model: 'm1', max: 128, stream: true })
  })

  it('the time to the first token, the speed after it and the whole time, as they were', async () => {
    const { bench } = await setup((wire) => speak(wire, { before: 80, between: 120, out: 7 }))
    const ran = await bench(['-m', 'demo/m1', '--rounds', '3', '--warmup', '0', '--json'])
    expect(ran).toMatchObject({ status: 0, stderr: '' })
    const { calls, firstTokenMs, totalMs, tokensPerSecond } = one(ran)
    expect(calls).toHaveLength(3)
    for (const call of calls) {
      expect(call.firstTokenMs).toBeGreaterThan(75)
      const after = call.totalMs - (call.firstTokenMs ?? NaN)
      expect(call.totalMs).toBeGreaterThan(195) // a busy machine may see the first token late, and the rest soon after
      expect(call.tokensPerSecond).toBeCloseTo(6 / (after / 1_000), 6)
    }
    const sorted = calls.map((call) => call.totalMs).sort((a, b) => a - b)
    expect(totalMs).toMatchObject({ count: 3, min: sorted[0], p50: sorted[1], max: sorted[2] })
    expect(totalMs?.mean).toBeCloseTo(sorted.reduce((sum, value) => sum + value, 0) / 3, 6)
    expect(firstTokenMs?.count).toBe(3)
    expect(tokensPerSecond?.p50).toBe(calls.map((call) => call.tokensPerSecond ?? NaN).sort((a, b) => a - b)[1])
  })

  it('as one JSON object whose keys are always the same', async () => {
    const { bench } = await setup((wire, _, count) => (count % 2 === 0 ? speak(wire) : void wire.write(refusal(429))))
    const [good, bad] = [await bench(['-m', 'demo/m1', '--rounds', '2', '--json']), await bench(['-m', 'nope/x', '--json'])]
    for (const ran of [good, bad]) {
      expect(ran.stdout.trim().split('\n')).toHaveLength(1)
      const document = read(ran)
      expect(keys(document)).toEqual(['when', 'rounds', 'concurrency', 'warmup', 'maxTokens', 'fresh', 'interrupted', 'models'])
      const [model] = document.models
      expect(keys(model)).toEqual([
        'model',
        'succeeded',
        'failed',
        'errors',
        'firstTokenMs',
        'tokensPerSecond',
        'totalMs',
        'inputTokens',
        'cachedInputTokens',
        'outputTokens',
        'reasoningTokens',
        'cost',
        'wallMs',
        'throughput',
        'calls',
      ])
      for (const call of model?.calls ?? [])
        expect(keys(call).sort()).toEqual([
          'cachedInputTokens',
          'cost',
          'error',
          'finishReason',
          'firstTokenMs',
          'inputTokens',
          'outputTokens',
          'reasoningTokens',
          'tokensPerSecond',
          'totalMs',
        ])
    }
    expect(one(good)).toMatchObject({
      succeeded: 1,
      failed: 1,
      inputTokens: { total: 5, mean: 5 },
      outputTokens: { total: 3, mean: 3 },
      reasoningTokens: null,
      cost: null,
      calls: [
        { finishReason: 'stop', error: null },
        { totalMs: expect.any(Number), error: { kind: 'rate_limited', status: 429 } },
      ],
    })
    expect(one(bad)).toMatchObject({ firstTokenMs: null, totalMs: null, outputTokens: null, throughput: null })
  })

  it('p90 from ten answers, p99 from a hundred, and so many calls at once as were asked for', async () => {
    let [open, most] = [0, 0]
    const { bench } = await setup(async (wire) => {
      most = Math.max(most, (open += 1))
      await speak(wire, { between: 5 })
      open -= 1
    })
    const spread = async (rounds: number): Promise<Spread | null> =>
      one(await bench(['-m', 'demo/m1', '--rounds', String(rounds), '--concurrency', '8', '--json'])).totalMs
    expect(await spread(9)).toMatchObject({ count: 9, p90: null, p99: null })
    expect(await spread(10)).toMatchObject({ count: 10, p90: expect.any(Number), p99: null })
    const hundred = await spread(100)
    expect(hundred).toMatchObject({ count: 100 })
    const { min, p50, p90, p99, max } = hundred as Spread // just seen
    expect([min, p50, p90, p99, max]).toEqual([min, p50, p90, p99, max].sort((a, b) => Number(a) - Number(b)))
    expect(most).toBe(8)
  })

  it('what all calls at once give', async () => {
    const { bench } = await setup((wire) => speak(wire, { between: 100, out: 10 }))
    const ran = await bench(['-m', 'demo/m1', '--rounds', '4', '--concurrency', '4', '--json'])
    const { wallMs, throughput } = one(ran)
    expect(wallMs).toBeGreaterThan(95)
    expect(throughput).toBeCloseTo(40 / (wallMs / 1_000), 6)
    const shown = await bench(['-m', 'demo/m1', '--rounds', '4', '--concurrency', '4'])
    expect(shown.stdout).toContain('all tok/s')
    expect(shown.stderr).toContain('4 at once')
  })

  it('several models, compared in one table', async () => {
    const { bench, sent } = await setup((wire) => speak(wire))
    const ran = await bench(['-m', 'demo/m1', '-m', 'demo/other', '--rounds', '2'])
    expect(ran.status).toBe(0)
    expect(ran.stdout.split('\n').map((line) => line.split(' ')[0])).toEqual(['model', 'demo/m1', 'demo/other', ''])
    expect(sent().map(({ model }) => model)).toEqual(['m1', 'm1', 'm1', 'other', 'other', 'other'])
  })

  it('no speed where the answer came in one piece, and no counts where none were sent', async () => {
    const { bench } = await setup((wire) => void wire.write(streamed({ text: 'all of it' }, { stop: 'done' }, '[END]')))
    const ran = await bench(['-m', 'demo/m1', '--rounds', '2', '--json'])
    expect(one(ran)).toMatchObject({ succeeded: 2, tokensPerSecond: null, outputTokens: null, throughput: null })
    expect(one(ran).firstTokenMs).toMatchObject({ count: 2 })
  })

  it('the prompt of a file or of standard input, and with --fresh another one each time', async () => {
    const { bench, sent } = await setup((wire) => speak(wire))
    const file = join(folder({ 'prompt.txt': 'from a file\n' }), 'prompt.txt')
    await bench(['-m', 'demo/m1', '--rounds', '1', '--warmup', '0', '--prompt-file', file])
    await bench(['-m', 'demo/m1', '--rounds', '1', '--warmup', '0', '--prompt-file', '-'], { input: 'from a pipe\n' })
    await bench(['-m', 'demo/m1', '--rounds', '3', '--warmup', '0', '--prompt', 'words', '--fresh', '--max-tokens', '9'])
    const prompts = sent().map((body) => JSON.stringify(body.messages))
    expect(prompts[0]).toContain('"from a file"')
    expect(prompts[1]).toContain('"from a pipe"')
    expect(new Set(prompts.slice(2)).size).toBe(3)
    for (const prompt of prompts.slice(2)) expect(prompt).toContain('words')
    expect(sent()[2]).toMatchObject({ max: 9 })
  })

  it('the model of this process that comes along', async () => {
    const ran = await modelwire(['bench', '-m', 'llama/pocket', '--rounds', '2', '--prompt', 'What is Modelwire?', '--json'])
    expect(ran).toMatchObject({ status: 0, stderr: '' })
    const { succeeded, firstTokenMs, tokensPerSecond, outputTokens } = one(ran)
    expect(succeeded).toBe(2)
    expect(outputTokens?.mean).toBeGreaterThan(10)
    expect(firstTokenMs?.count).toBe(2)
    expect(tokensPerSecond?.p50).toBeGreaterThan(1)
  })
})

const refusal = (status: number, ...headers: string[]): Buffer =>
  whole(`{"error":{"message":"not now, ${canary}"}}`, 'application/json', status, ...headers)

describe('bench between failures', () => {
  it('counts them by their kind, sends nothing again, and leaves them out of the times', async () => {
    const { bench, server } = await setup((wire, _, count) => {
      // Connections are closed until one is reset: on a kept one, which may just have been closed, a call is sent once more.
      const closing = head('text/event-stream', 'connection: close')
      if (count === 2) return void wire.write(refusal(429, 'connection: close')) // the first one is before those that count
      if (count === 3) return void wire.end(closing + chunk(sse({ text: 'half' })).toString() + last)
      if (count === 4)
        return void wire.write(closing + chunk(sse({ text: 'half' }, { error: { message: 'fell over' } })).toString())
      if (count === 5) return void wire.reset()
      return speak(wire, { before: 60 })
    })
    const ran = await bench(['-m', 'demo/m1', '--rounds', '7', '--json'])
    expect(ran.status).toBe(0)
    const { succeeded, failed, errors, totalMs, calls } = one(ran)
    expect({ succeeded, failed, errors }).toEqual({
      succeeded: 3,
      failed: 4,
      errors: { rate_limited: 1, truncated: 1, server_error: 1, network: 1 },
    })
    expect(server.requests).toHaveLength(8)
    expect(totalMs).toMatchObject({ count: 3 })
    expect(totalMs?.min).toBeGreaterThan(55)
    expect(calls.map(({ error }) => error?.kind ?? 'fine')).toEqual([
      'rate_limited',
      'truncated',
      'server_error',
      'network',
      'fine',
      'fine',
      'fine',
    ])
    expect(ran.stderr).toContain('demo/m1: 4 of 7 calls failed\nerror: not now')
    expect(ran.stderr).toContain('error: fell over')
    expect(ran.stdout + ran.stderr).not.toContain(canary)
  })

  it('makes the pause that a provider asks for, in no call of it, and all lanes together', async () => {
    const { bench, server } = await setup((wire, _, count) =>
      count === 1 ? void wire.write(refusal(429, 'retry-after-ms: 900')) : speak(wire, { between: 80 }),
    )
    const ran = await bench(['-m', 'demo/m1', '--rounds', '7', '--concurrency', '2', '--warmup', '0', '--json'])
    const { failed, totalMs, wallMs } = one(ran)
    expect(failed).toBe(1)
    expect(wallMs).toBeGreaterThan(900)
    expect(totalMs).toMatchObject({ count: 6 })
    expect(totalMs?.max).toBeLessThan(700)
    const [first, , third] = server.requests.map(({ at }) => at)
    expect((third ?? 0) - (first ?? 0)).toBeGreaterThan(890)
  })

  it('does not sit out a pause of more than a minute', async () => {
    const { bench, server } = await setup((wire) => void wire.write(refusal(429, 'retry-after: 3600')))
    const ran = await bench(['-m', 'demo/m1', '--rounds', '50', '--json'])
    expect(ran.status).toBe(1)
    expect(one(ran)).toMatchObject({ failed: 1, errors: { rate_limited: 1 } })
    expect(server.requests).toHaveLength(1)
  })

  it('shows them in the table', async () => {
    const { bench } = await setup((wire, _, count) => (count % 2 === 0 ? speak(wire) : void wire.write(refusal(429))))
    const ran = await bench(['-m', 'demo/m1', '--rounds', '5', '--warmup', '0'])
    expect(ran.status).toBe(0)
    expect(ran.stdout).toMatch(/failed\ndemo\/m1 .* 5 +3 rate_limited\n$/)
  })

  it.each([
    ['a key that is refused', 401, 'authentication'],
    ['a model that is not there', 404, 'not_found'],
    ['a request that is wrong', 400, 'invalid_request'],
  ])('ends at once with %s, for it would be so each time', async (_name, status, kind) => {
    const { bench, server } = await setup((wire) => void wire.write(refusal(status)))
    const ran = await bench(['-m', 'demo/m1', '--rounds', '50', '--json'])
    expect(ran.status).toBe(1)
    expect(one(ran)).toMatchObject({ succeeded: 0, failed: 1, errors: { [kind]: 1 }, totalMs: null })
    expect(server.requests).toHaveLength(1)
    expect(ran.stderr).toMatch(/^demo\/m1: 1 of 1 calls failed\nerror: not now/)
    expect((await bench(['-m', 'demo/m1'])).stdout).toBe('')
  })

  it('measures the others when one model cannot be called, and gives 1', async () => {
    const { bench } = await setup((wire) => speak(wire))
    const ran = await bench(['-m', 'nope/x', '-m', 'demo/m1', '--rounds', '2', '--json'])
    expect(ran.status).toBe(1)
    expect(read(ran).models).toMatchObject([
      { model: 'nope/x', succeeded: 0, errors: { configuration: 1 } },
      { model: 'demo/m1', succeeded: 2 },
    ])
    expect(ran.stderr).toContain('there is no provider or dialect "nope"')
  })

  it('tells of a failure before the calls that count, and goes on', async () => {
    const { bench } = await setup((wire, _, count) => (count === 1 ? void wire.write(refusal(503)) : speak(wire)))
    const ran = await bench(['-m', 'demo/m1', '--rounds', '2', '--json'])
    expect(ran.status).toBe(0)
    expect(one(ran)).toMatchObject({ succeeded: 2, failed: 0, errors: {} })
    expect(ran.stderr).toContain('demo/m1: a call before the first that counts failed\nerror: not now')
  })

  it('tells of what a manifest has no use for, once', async () => {
    const server = await serveBytes((wire) => speak(wire))
    const protocols = folder({ 'demo.yaml': demo(server.url).replace(/^ +max: .*\n/m, '') })
    const env = { DEMO_KEY: canary }
    const args = ['bench', '-m', 'demo/m1', '--protocols', protocols, '--rounds', '3']
    const ran = await modelwire(args, { env })
    expect(ran.status).toBe(0)
    expect(ran.stderr.match(/warning: maxTokens/g)).toHaveLength(1)
    expect((await modelwire([...args, '--strict'], { env })).status).toBe(1)
  })
})

describe('bench that is left by Ctrl-C', () => {
  it('prints what was measured so far, closes the connection, and gives 130', async () => {
    const { bench, server } = await setup((wire, _, count) => {
      if (count <= 4) return speak(wire)
      return void wire.write(head() + chunk(sse({ text: 'so far' })).toString())
    })
    const leave: How = {
      meanwhile: (child) => {
        const poll = setInterval(() => {
          if (server.requests.length < 5) return
          clearInterval(poll)
          setTimeout(() => child.kill('SIGINT'), 200)
        }, 20)
      },
    }
    const ran = await bench(['-m', 'demo/m1', '-m', 'demo/never', '--rounds', '50', '--json'], leave)
    expect(ran).toMatchObject({ status: 130, stderr: '' })
    expect(read(ran)).toMatchObject({ interrupted: true, models: [{ model: 'demo/m1', succeeded: 3, failed: 0 }] })
    expect(read(ran).models).toHaveLength(1)
    await server.closed
  })
})

describe('bench is wrong usage', () => {
  it.each([
    ['no rounds', ['--rounds', '0'], 'from 1'],
    ['half a round', ['--rounds', '1.5'], 'whole number'],
    ['far too many rounds', ['--rounds', '100001'], '100,000'],
    ['nothing at once', ['--concurrency', '0'], 'from 1'],
    ['fewer than no calls before', ['--warmup', '-1'], '--warmup'],
    ['answers without tokens', ['--max-tokens', '0'], 'from 1'],
    ['two prompts', ['--prompt', 'a', '--prompt-file', 'b'], 'exclude'],
    ['a prompt that is missing', ['--prompt-file', '/nowhere.txt'], "doesn't exist"],
    ['a prompt of nothing', ['--prompt', ' '], 'empty'],
    ['an address for two providers', ['-m', 'openai/gpt-5', '--base-url', 'http://127.0.0.1:9'], 'one provider'],
    ['a model without a provider', ['-m', 'm1'], 'provider/model'],
    ['a stray word', ['hello'], 'too many arguments'],
  ])('with %s', async (_name, args, words) => {
    const { bench, server } = await setup((wire) => speak(wire))
    const ran = await bench(['-m', 'demo/m1', ...args])
    expect(ran).toMatchObject({ status: 2, stdout: '' })
    expect(ran.stderr).toMatch(/^error: /)
    expect(ran.stderr).toContain(words)
    expect(server.requests).toEqual([])
  })
})
