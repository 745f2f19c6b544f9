/** What a start may say. */
export interface ServiceOptions {
  /** A model to serve: the path of a file, or a name that the engine knows. */
  model?: string
  /** One of the manifest's ways; the first whose program is on this machine when absent. */
  way?: string
  /** A free one is found when absent. */
  port?: number
  /** Further arguments for the engine. */
  args?: readonly string[]
  /** Further variables for the engine. */
  env?: Readonly<Record<string, string>>
  /** The key that the engine will ask for; a random one when absent, if the engine can take one. False: none. */
  apiKey?: string | false
  /** Milliseconds until it has to be healthy; the manifest's when absent. */
  within?: number
  /** A file that its output is appended to. */
  logFile?: string
  /** Hears each line of its output. */
  onLog?: (line: string) => void
  /** Gives up the start. */
  signal?: AbortSignal
}

export interface ServiceStatus {
  id: string
  running: boolean
  healthy: boolean
  /** Started by this runtime, which ends it too; false for one that somebody else runs. */
  managed: boolean
  /** Where it listens, without the path of its API. */
  url?: string
  /** Where calls to its provider go, where this runtime started it. */
  baseUrl?: string
  /** The manifest's way that it was started in. */
  how?: string
  pid?: number
  /** Milliseconds since the epoch. */
  startedAt?: number
  /** Whether it was given a key. */
  keyed?: boolean
  /** What is wrong with it, or how it ended. */
  error?: string
}

/** What a running service changes for the calls to its provider. */
export interface Served {
  baseUrl: string
  apiKey: string | undefined
}
