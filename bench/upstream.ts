/**
 * A provider on loopback, in a process of its own so that its CPU is nobody's. It sends prepared bytes.
 * The first part of the path is the mode, the rest tells the wire: `/bulk/v1/chat/completions`, `/paced/v1/messages`.
 */
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { gate, isMode, reply } from './replies.ts'
import type { Mode } from './replies.ts'
import type { Wire } from './conversation.ts'

const pieceSize = 16 * 1024
const paceMs = 10
const gateMs = 5
let open = 0
let flooded = 0
let paced = 0

const prepared = new Map<string, { events: Buffer[]; pieces: Buffer[] }>()

function prepare(mode: Mode, wire: Wire) {
  const key = `${mode} ${wire}`
  let known = prepared.get(key)
  if (!known) {
    const made = reply(mode, wire)
    const bytes = Buffer.concat(made.events)
    const pieces = Array.from({ length: Math.ceil(bytes.length / pieceSize) }, (_, index) =>
      bytes.subarray(index * pieceSize, (index + 1) * pieceSize),
    )
    known = { events: made.events, pieces }
    prepared.set(key, known)
  }
  return known
}

/** Each piece waits for the one before it to be handed to the kernel, so that pieces aren't merged on our side. */
function sendPieces(response: ServerResponse, pieces: Buffer[]): void {
  let at = 0
  const next = () => {
    const piece = pieces[at++]
    if (piece === undefined) response.end()
    else response.write(piece, next)
  }
  next()
}

/** One event a write, each 10 ms; the streams are spread over the 10 ms, as they would be in life. */
function sendPaced(response: ServerResponse, events: Buffer[]): void {
  let at = 0
  const offset = (paced++ * 7) % paceMs
  const started = setTimeout(() => {
    const timer = setInterval(() => {
      const event = events[at++]
      if (event !== undefined && !response.destroyed) return void response.write(event)
      clearInterval(timer)
      response.end()
    }, paceMs)
  }, offset)
  response.on('close', () => clearTimeout(started))
}

function sendAndHang(response: ServerResponse, events: Buffer[]): void {
  for (const event of events.slice(0, 10)) response.write(event)
  open++
  response.on('close', () => open--)
}

/** Streams that wait at the gate, each with the events that it hasn't sent. */
let waiting: { response: ServerResponse; events: Buffer[] }[] = []

function sendAndWait(response: ServerResponse, events: Buffer[]): void {
  for (const event of events.slice(0, gate.before)) response.write(event)
  waiting.push({ response, events: events.slice(gate.before) })
  open++
  response.on('close', () => open--)
}

/**
 * Opens the gate: so many events a second, all streams in turn, one event a write, by one timer, so that it stays exact. The last
 * events of each stay for another time, which ends the streams. Resolves when all are sent.
 */
function openGate(rate: number): Promise<void> {
  const streams = waiting
  const whole = streams[0]?.events.length ?? 0
  const each = whole > gate.after ? whole - gate.after : whole
  waiting = whole > each ? streams.map(({ response, events }) => ({ response, events: events.slice(each) })) : []
  const started = performance.now()
  let sent = 0
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(each * streams.length, Math.floor(((performance.now() - started) / 1000) * rate))
      for (; sent < due; sent++) {
        const stream = streams[sent % streams.length]
        const at = Math.floor(sent / streams.length)
        stream?.response.write(stream.events[at] ?? '')
        if (at === whole - 1) stream?.response.end()
      }
      if (sent < each * streams.length) return
      clearInterval(timer)
      resolve()
    }, gateMs)
  })
}

/** As fast as it is read, and no faster; `flooded` is what has left. */
function sendWithoutEnd(response: ServerResponse, pieces: Buffer[]): void {
  let at = 0
  flooded = 0
  const next = (piece: Buffer) =>
    response.write(piece, (error) => {
      if (error != null || response.destroyed) return
      flooded += piece.length
      next(pieces[++at % pieces.length] ?? piece)
    })
  if (pieces[0] !== undefined) next(pieces[0])
}

const streamType: Record<Wire, string> = {
  openai: 'text/event-stream; charset=utf-8',
  anthropic: 'text/event-stream; charset=utf-8',
  google: 'text/event-stream',
  ollama: 'application/x-ndjson',
}

function wireAt(path: string): Wire | undefined {
  if (path.endsWith('/chat/completions')) return 'openai'
  if (path.endsWith('/messages')) return 'anthropic'
  if (path.endsWith(':streamGenerateContent')) return 'google'
  return path.endsWith('/api/chat') ? 'ollama' : undefined
}

function refuse(response: ServerResponse, message: string): void {
  response.writeHead(400, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ error: { message } }))
}

function answer(request: IncomingMessage, response: ServerResponse, body: string): void {
  const path = (request.url ?? '').split('?')[0] ?? ''
  const mode = path.split('/')[1] ?? ''
  if (!isMode(mode)) return refuse(response, `no mode "${mode}"`)
  const wire = wireAt(path)
  if (wire === undefined) return refuse(response, `no wire at ${path}`)
  const streamed = wire === 'google' || /"stream": ?true/.test(body)
  if (streamed === (mode === 'whole')) return refuse(response, `mode ${mode} with stream: ${streamed}`)
  response.writeHead(200, {
    'content-type': mode === 'whole' ? 'application/json' : streamType[wire],
    'x-request-id': 'req_bench',
  })
  const { events, pieces } = prepare(mode, wire)
  switch (mode) {
    case 'bulk':
    case 'short':
      return sendPieces(response, pieces)
    case 'paced':
      return sendPaced(response, events)
    case 'hang':
      return sendAndHang(response, events)
    case 'gate':
    case 'gateLong':
      return sendAndWait(response, events)
    case 'flood':
      return sendWithoutEnd(response, pieces)
    case 'whole':
      return void response.end(pieces[0])
  }
}

const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
  const parts: Buffer[] = []
  request.on('data', (part: Buffer) => parts.push(part))
  request.on('end', () => answer(request, response, Buffer.concat(parts).toString()))
})

const listening = new Promise<number>((resolve, reject) => {
  server.once('error', reject)
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    if (address !== null && typeof address === 'object') resolve(address.port)
  })
})
async function answerParent({ rate }: { rate?: number }): Promise<void> {
  if (rate !== undefined) await openGate(rate)
  process.send?.({ port: await listening, open, flooded })
}
process.on('message', (asked: { rate?: number }) => void answerParent(asked))
process.on('disconnect', () => process.exit(0))
