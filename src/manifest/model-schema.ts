// Written by `npm run schema` from schemas/model.schema.json. Edit the schema, not this file.

/**
 * Lower-case letters, digits, `.`, `_` and `-`.
 */
export type Id = string
/**
 * A relative path with `/` between its parts.
 */
export type Path = string
export type Bytes = number
export type Capability =
  | 'chat'
  | 'tools'
  | 'output'
  | 'reasoning'
  | 'vision'
  | 'audio'
  | 'embed'
  | 'rerank'
  | 'classify'
  | 'transcribe'
  | 'speak'
  | 'image'
  | 'detect'
export type Capabilities = Capability[]
export type Gigabytes = number

/**
 * A model whose files lie on this machine, or can be fetched to it.
 */
export interface ModelManifest {
  /**
   * The name by which it is called, after its provider: `provider/id`.
   */
  id: Id
  /**
   * What people call it.
   */
  name?: string
  /**
   * Where it is described.
   */
  docs?: string
  /**
   * The terms under which it may be used.
   */
  license?: string
  /**
   * Whether it is the one that `modelwire chat` uses when none is named.
   */
  default?: boolean
  /**
   * The manifest of the provider that runs it.
   */
  provider?: Id
  /**
   * The model itself, relative to this manifest or to a folder of models.
   */
  file: Path
  /**
   * Further files that its engine wants, by the engine's names for them; the other parts of a split model too.
   */
  files?: Files
  /**
   * Bytes of `file`.
   */
  size?: Bytes
  /**
   * What it can do.
   */
  capabilities?: Capabilities
  /**
   * What the machine should have.
   */
  requirements?: Requirements
  /**
   * How `file` is packed, by its usual name.
   */
  quantization?: string
  /**
   * Other packings of the same model, by the name that follows the id: `id:q4_k_m`.
   */
  quantizations?: Quantizations
  /**
   * How its engine should load it. Which keys there are is the engine's business; `contextLength`, `gpuLayers` (a number, `auto` or `max`), `sequences`, `threads`, `batchSize`, `flashAttention` and `sampling` (a map of `temperature`, `topP`, `topK`, `minP`, `repeatPenalty`, for calls that don't say) are understood for GGUF files.
   */
  config?: {
    [k: string]: unknown
  }
  /**
   * Where `file` can be fetched.
   */
  download?: Download
}
export interface Files {
  [k: string]: Path | File
}
/**
 * A file, and where it can be fetched.
 */
export interface File {
  /**
   * Its path, like that of the model.
   */
  file: Path
  /**
   * Bytes.
   */
  size?: Bytes
  /**
   * Where it can be fetched.
   */
  download?: Download
}
/**
 * An address, and what proves that the right bytes came from it.
 */
export interface Download {
  /**
   * An https address without a password in it; http only for this machine.
   */
  url: string
  /**
   * The SHA-256 of the whole file, in hexadecimal. Without it a pull has to be told not to check.
   */
  sha256?: string
}
/**
 * Gigabytes of each kind of memory.
 */
export interface Requirements {
  /**
   * Free memory.
   */
  ramGb?: Gigabytes
  /**
   * Free memory of the graphics card, to have all of it there.
   */
  vramGb?: Gigabytes
  /**
   * Free space of the disk.
   */
  diskGb?: Gigabytes
}
export interface Quantizations {
  [k: string]: File
}
