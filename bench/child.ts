import { fork } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** A process of ours that is asked one thing at a time. */
export interface Child {
  ask<Reply>(message: object): Promise<Reply>
  /** Ends it, by its own id, and waits until it has gone. */
  stop(): Promise<void>
}

const patienceMs = 180_000

/** Starts a file of this folder. It ends when we do: each child leaves as soon as its channel to us closes. */
export function start(file: 'upstream.ts' | 'worker.ts' | 'soloist.ts', args: string[] = [], execArgv: string[] = []): Child {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args, {
    execArgv,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))

  const reply = <Reply>() =>
    new Promise<Reply>((resolve, reject) => {
      const settle = (finish: () => void) => {
        clearTimeout(timer)
        child.off('message', onMessage).off('exit', onExit)
        finish()
      }
      const onMessage = (message: unknown) => settle(() => resolve(message as Reply)) // our own child: the protocol is the caller's
      const onExit = (code: number | null) => settle(() => reject(new Error(`${file} ${args.join(' ')} ended with ${code}`)))
      const timer = setTimeout(
        () => settle(() => reject(new Error(`${file} ${args.join(' ')} said nothing for ${patienceMs / 1000} s`))),
        patienceMs,
      )
      child.on('message', onMessage).on('exit', onExit)
    })

  return {
    async ask<Reply>(message: object) {
      if (child.exitCode !== null || !child.connected) throw new Error(`${file} ${args.join(' ')} has ended`)
      child.send(message)
      return reply<Reply>()
    },
    async stop() {
      if (child.connected) child.disconnect()
      const timer = setTimeout(() => child.kill('SIGKILL'), 2000)
      await gone
      clearTimeout(timer)
    },
  }
}

export interface Upstream extends Child {
  /** `http://127.0.0.1:port`; a mode and a wire's path go behind it. */
  url: string
  /** Streams that hang open now. */
  open(): Promise<number>
  /** Lets the streams that wait at the gate go on, so many events a second in all, up to their last few; a second time ends them. */
  release(rate: number): Promise<unknown>
  /** Bytes that the last stream without an end has taken. */
  flooded(): Promise<number>
}

export async function startUpstream(): Promise<Upstream> {
  const child = start('upstream.ts')
  const { port } = await child.ask<{ port: number }>({ ask: 'port' })
  return {
    ...child,
    url: `http://127.0.0.1:${port}`,
    open: async () => (await child.ask<{ open: number }>({ ask: 'open' })).open,
    release: (rate) => child.ask({ ask: 'release', rate }),
    flooded: async () => (await child.ask<{ flooded: number }>({ ask: 'flooded' })).flooded,
  }
}

/** Waits until so many streams are open. */
export async function untilOpen(upstream: Upstream, count: number): Promise<void> {
  for (let tries = 0; (await upstream.open()) !== count; tries++) {
    if (tries > 300) throw new Error(`${await upstream.open()} streams are open where ${count} should be`)
    await sleep(100)
  }
}
