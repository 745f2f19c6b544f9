// Written by `npm run schema` from schemas/manifest.schema.json. Edit the schema, not this file.

/**
 * Lower-case letters, digits, `.`, `_` and `-`.
 */
export type Id = string
/**
 * The id of a manifest, or several that are laid over each other from left to right.
 */
export type Parents = Id | [Id, ...Id[]] | null
/**
 * What `$env.<name>` may read, and from where: the runtime's options, then these environment variables, then the default.
 */
export type Variables = {
  [k: string]: Name | [Name, ...Name[]] | Variable
} | null
/**
 * The name of an environment variable.
 */
export type Name = string
/**
 * A variable with more to say.
 */
export type Variable = {
  /**
   * The environment variables that may hold it.
   */
  env?: Names
  /**
   * What it is when neither the runtime's options nor the environment say.
   */
  default?: string | null
  /**
   * What it means, for the reference page and for error messages.
   */
  docs?: string | null
} | null
/**
 * The name of an environment variable, or several in the order in which they are tried.
 */
export type Names = Name | [Name, ...Name[]] | null
/**
 * How the provider wants to be shown a key, and which environment variables hold it. Secrets reach nothing else. Replaces that of an extended manifest as a whole.
 */
export type Auth = NoAuth | BearerAuth | HeaderAuth | QueryAuth | BasicAuth | null
export type NoAuth = 'none'
/**
 * `Authorization: Bearer <key>`.
 */
export type BearerAuth = {
  /**
   * The environment variables that may hold the key.
   */
  bearer: Names
  /**
   * The provider also answers without a key (local servers).
   */
  optional?: boolean | null
} | null
/**
 * The key in a header of another name.
 */
export type HeaderAuth = {
  /**
   * The header, and the environment variables that may hold its key.
   */
  header: {
    [k: string]: Names
  }
  /**
   * What stands before the key, with its space.
   */
  prefix?: string | null
  /**
   * The provider also answers without a key (local servers).
   */
  optional?: boolean | null
} | null
/**
 * The key in the address.
 */
export type QueryAuth = {
  /**
   * The parameter, and the environment variables that may hold its key.
   */
  query: {
    [k: string]: Names
  }
  /**
   * The provider also answers without a key (local servers).
   */
  optional?: boolean | null
} | null
/**
 * `Authorization: Basic …` of a user and a password.
 */
export type BasicAuth = {
  basic: BasicSlots
  /**
   * The provider also answers without a key (local servers).
   */
  optional?: boolean | null
} | null
/**
 * Names and texts; a text may select (`$.model`, `{$env.region}`). A construct may choose between texts.
 */
export type Texts = Record<string, unknown>
/**
 * A template, or a map of rules, to be used with `$use`.
 */
export type Fragment = unknown
/**
 * What the provider can do, by name: `chat`, `embed`, …
 */
export type Operations = {
  [k: string]: Operation
} | null
/**
 * One thing that the provider can do: how a request becomes a call, and its reply events.
 */
export type Operation = {
  /**
   * Where the provider describes it.
   */
  docs?: string | null
  /**
   * The path to POST to, behind `base`; a template of the request (`/models/{$.model}`). A construct may choose between paths.
   */
  post?: (string | null) | Construct
  /**
   * The path to GET.
   */
  get?: string | null
  /**
   * What a transport that works in this process is to do (`chat`, `embed`, …), in place of an address.
   */
  run?: string | null
  /**
   * The path to DELETE.
   */
  delete?: string | null
  /**
   * What the path is put behind: `base`, or `root`, which is `base` without its path (an API that has a second root beside `/v1`). Default: `base`.
   */
  from?: 'base' | 'root' | null
  /**
   * Parameters of the address, over those of the manifest.
   */
  query?: Texts
  /**
   * Headers, over those of the manifest.
   */
  headers?: Texts
  /**
   * How the body is written.
   */
  encode?: 'json' | null
  /**
   * The body; `$` is the request.
   */
  body?: Template
  /**
   * What carries the call, where it isn't that of the manifest.
   */
  transport?: 'http' | 'llama' | 'onnx' | null
  /**
   * The reply names a job; how it is asked for until it is done.
   */
  follow?: Follow
  /**
   * How bytes become frames, where the reply's Content-Type doesn't say. Default: `json`.
   */
  decode?: Decode
  /**
   * What of each frame the rules see.
   */
  select?: Expression
  /**
   * Parts of the text that are something else, such as `<think>`.
   */
  split?: Split
  /**
   * What proves that a stream came to its end: any of these. Default: `[end]`.
   *
   * @minItems 1
   */
  complete?: [Proof, ...Proof[]] | null
  /**
   * More proofs, beside those of the extended manifest.
   */
  'complete+'?: Proof[]
  /**
   * What the frames say.
   */
  events?: Rules
  /**
   * The provider's reasons in our words.
   */
  finish?: Finish
  /**
   * Our token counts, read off what the provider sent.
   */
  usage?: Usage
  /**
   * Request fields that this wire deliberately doesn't send, dotted; no warning is given for them.
   */
  unused?: string[] | null
  /**
   * More such fields, beside those of the extended manifest.
   */
  'unused+'?: string[]
} | null
export type Construct = Template
/**
 * What is sent or emitted: literal YAML in which a text that begins with `$` selects (`$.model`), a text with `{$…}` is filled in, `$$` stands for a literal `$`, and a map with `$` keys is a construct. A key whose value is nothing is left out.
 */
export type Template = unknown
/**
 * A job that is asked for until it is done. Each answer is one more frame for the same rules.
 */
export type Follow = {
  /**
   * Where to ask: a path, or an expression that selects a path or a whole address of the same host; `$` is the first answer.
   */
  get: string | null
  /**
   * How long to wait between two questions. Default: `1s`.
   */
  every?: Duration
  /**
   * What the last answer looks like.
   */
  until: Pattern
  /**
   * Headers of the questions, over those of the manifest.
   */
  headers?: Texts
} | null
/**
 * A span of time: `200ms`, `30s`, `10m`.
 */
export type Duration = string
/**
 * What a value must be: `"*"` not blank, a scalar equal, a list one of these, a map every key fits.
 */
export type Pattern = unknown
/**
 * How the reply's bytes become frames, where its Content-Type doesn't say.
 */
export type Decode = Framing | DecodeOptions
export type Framing = 'sse' | 'ndjson' | 'json' | 'bytes' | 'none'
/**
 * A framing with its options.
 */
export type DecodeOptions = {
  sse?: SseOptions
  /**
   * One JSON value a line.
   */
  ndjson?: {} | null
  /**
   * One JSON value, or the items of one list as they come.
   */
  json?: {} | null
  /**
   * The bytes as they come.
   */
  bytes?: {} | null
  /**
   * The status says all; a body, even an empty one, says nothing more.
   */
  none?: {} | null
} | null
/**
 * Server-sent events.
 */
export type SseOptions = {
  /**
   * The data that ends the stream, such as `[DONE]`.
   */
  until?: string | null
  /**
   * The field of each frame that takes the event's name.
   */
  tag?: string | null
} | null
/**
 * A path such as `$.choices[*].delta`, with alternatives (`??`) and filters (`|`).
 */
export type Expression = string
/**
 * Marks in the text that set a part of it apart.
 */
export type Split = {
  text?: SplitText
} | null
/**
 * Text between two marks.
 */
export type SplitText = {
  /**
   * The mark before it, such as `<think>`.
   */
  open?: string | null
  /**
   * The mark behind it.
   */
  close?: string | null
  /**
   * What it is instead of text.
   */
  as?: 'reasoning' | null
} | null
export type Proof = NamedProof | ProofWhen
/**
 * `done`: the framing's own terminator; `finish`: a finish was said; `end`: the body ended cleanly.
 */
export type NamedProof = 'done' | 'finish' | 'end'
/**
 * Rules by name, so that a manifest that extends this one can change or delete each.
 */
export type Rules = {
  /**
   * A fragment of rules; rules that stand beside it win over its own.
   */
  $use?: string
  [k: string]: Rule | string | undefined
} | null
/**
 * What a frame says, when it fits. Every rule that fits speaks, in the order of the file.
 */
export type Rule = {
  /**
   * What the frame must look like.
   */
  when?: Pattern
  /**
   * The rule speaks for each item of this; without it, for the frame itself.
   */
  each?: Expression
  /**
   * What an item must look like.
   */
  where?: Pattern
  /**
   * Fields that are added to all that is emitted here and below.
   */
  with?: {
    [k: string]: Template
  } | null
  /**
   * What is said.
   */
  emit?: Emit | Emit[] | null
  /**
   * More that is said, after what the extended rule says.
   */
  'emit+'?: Emit[]
  /**
   * Rules for each item.
   */
  events?: Rules
} | null
/**
 * One thing that a rule says. Nothing is said when all that it would carry is blank.
 */
export type Emit =
  | StartEmit
  | TextEmit
  | ReasoningEmit
  | RefusalEmit
  | ToolEmit
  | EndEmit
  | SourceEmit
  | FileEmit
  | AudioEmit
  | EmbeddingEmit
  | ScoreEmit
  | SegmentEmit
  | ProgressEmit
  | ModelEmit
  | RawEmit
  | WarningEmit
  | UsageEmit
  | FinishEmit
  | ErrorEmit
/**
 * Why the model stopped.
 */
export type Reason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'error' | 'other' | null
/**
 * The provider's reasons in our words; `$else` is for those that stand in no row.
 */
export type Finish = {
  /**
   * What the others mean.
   */
  $else?: Reason
  [k: string]: Reason | undefined
} | null
/**
 * Our token counts, read off what the provider sent. Unknown is absent.
 */
export type Usage = {
  /**
   * Everything that was read, cached or not.
   */
  inputTokens?: Template
  /**
   * The part of the input that came from a cache.
   */
  cachedInputTokens?: Template
  /**
   * The part of the input that was written to a cache.
   */
  cacheWriteTokens?: Template
  /**
   * Everything that was generated, reasoning included.
   */
  outputTokens?: Template
  /**
   * The part of the output that was reasoning.
   */
  reasoningTokens?: Template
  /**
   * All of them; the sum of input and output where it isn't said.
   */
  totalTokens?: Template
  /**
   * US dollars, where the provider itself says what the call cost.
   */
  cost?: Template
} | null
/**
 * How the provider spells an error; `$` is the reply's body.
 */
export type ErrorFields = {
  /**
   * Its message.
   */
  message?: Template
  /**
   * Its type.
   */
  type?: Template
  /**
   * Its code.
   */
  code?: Template
  /**
   * The parameter that is to blame.
   */
  param?: Template
} | null
/**
 * What went wrong, in one vocabulary for all providers.
 */
export type ErrorKind =
  | 'invalid_request'
  | 'authentication'
  | 'permission_denied'
  | 'not_found'
  | 'request_too_large'
  | 'context_length'
  | 'content_filter'
  | 'unsupported'
  | 'configuration'
  | 'manifest'
  | 'rate_limited'
  | 'quota_exhausted'
  | 'server_error'
  | 'overloaded'
  | 'timeout'
  | 'network'
  | 'truncated'
  | 'protocol'
  | 'conflict'
  | 'cancelled'
  | 'output'
/**
 * Where a reply's headers say how much is left, by what is counted (`requests`, `tokens`).
 */
export type Limits = {
  [k: string]: Limit
} | null
/**
 * One of the provider's rate limits.
 */
export type Limit = {
  /**
   * How many there are.
   */
  limit?: Template
  /**
   * How many are left.
   */
  remaining?: Template
  /**
   * Milliseconds until it is full again.
   */
  resetMs?: Template
} | null
/**
 * Clocks of a call.
 */
export type Timeouts = {
  /**
   * To connect.
   */
  connect?: Clock
  /**
   * Until the reply begins.
   */
  firstByte?: Clock
  /**
   * From there to the first event with content.
   */
  firstEvent?: Clock
  /**
   * Between two pieces of a reply.
   */
  idle?: Clock
  /**
   * The whole call, all its attempts included.
   */
  total?: Clock
} | null
/**
 * A span of time (`90s`, `10m`), or `none`.
 */
export type Clock = string
/**
 * Prices by model: a name in which `*` stands for any characters. The first that fits counts.
 */
export type Prices = {
  [k: string]: Price
} | null
/**
 * US dollars for a million tokens.
 */
export type Price = {
  /**
   * What is read.
   */
  input?: number | null
  /**
   * What is read and came from a cache; as `input` where it isn't said.
   */
  cachedInput?: number | null
  /**
   * What is read and written to a cache; as `input` where it isn't said.
   */
  cacheWrite?: number | null
  /**
   * What is generated, reasoning included.
   */
  output?: number | null
} | null
/**
 * Another wire that the provider speaks.
 */
export type Wire = {
  /**
   * The dialect of this wire.
   */
  extends?: Parents
  /**
   * What people call it.
   */
  name?: string | null
  /**
   * Where the provider describes its API.
   */
  docs?: string | null
  /**
   * How far this manifest is proved, and by what.
   */
  status?: string | null
  /**
   * The address that the operations' paths are put behind; may hold variables (`https://{$env.resource}.example.com/v1`). A manifest without one is a dialect.
   */
  base?: string | null
  /**
   * What `$env.<name>` may read, and from where.
   */
  variables?: Variables
  /**
   * How the provider wants to be shown a key.
   */
  auth?: Auth
  /**
   * Headers of every call.
   */
  headers?: Texts
  /**
   * Parameters of every call's address.
   */
  query?: Texts
  /**
   * Fragments for `$use`. They are merged before they are used, so that a change of one reaches every use.
   */
  define?: {
    [k: string]: Fragment
  } | null
  /**
   * What the provider can do.
   */
  operations?: Operations
  /**
   * How the provider spells an error.
   */
  error?: ErrorFields
  /**
   * What its errors mean, the first that fits; what plain HTTP says needs no row.
   */
  errors?: ErrorRule[] | null
  /**
   * More rows, after those of the extended manifest.
   */
  'errors+'?: ErrorRule[]
  /**
   * Where replies say how much is left.
   */
  limits?: Limits
  /**
   * Changes for some models, laid over the manifest in order.
   */
  models?: ModelPatch[] | null
  /**
   * More changes, after those of the extended manifest.
   */
  'models+'?: ModelPatch[]
} | null
/**
 * An engine that can be started on this machine. In its templates `$` is what the start was asked for: `$.model` (as given; a path is made absolute), `$.folder` and `$.file` (of a model that is a path), `$.host` (always the loopback address), `$.port`, `$.args` (the caller's further arguments), and, in `env` only, `$.apiKey`.
 */
export type Service = {
  /**
   * Where its start is described, for error messages.
   */
  docs?: string | null
  /**
   * The one port it can have. Without it a free one is found.
   */
  port?: number | null
  /**
   * How it says that it is ready.
   */
  health?: Health
  /**
   * Ways to start it, by name. The first whose program is on this machine is taken, unless the caller names one.
   */
  ways?: {
    [k: string]: Way
  } | null
} | null
/**
 * How a service says that it is ready, and that it is itself.
 */
export type Health = {
  /**
   * The path to ask, behind the host.
   */
  get?: string | null
  /**
   * The HTTP status of a healthy one. Default: 200.
   */
  status?: number | null
  /**
   * What the body of a healthy one looks like, so that something else at the same port is not taken for it.
   */
  body?: Pattern
  /**
   * How long to wait between two questions. Default: `200ms`.
   */
  every?: Duration
  /**
   * How long a start may take. Default: `1m`.
   */
  within?: Duration
} | null
/**
 * One way to start a service: `command`, or `compose`.
 */
export type Way = {
  /**
   * The program and its arguments, run without a shell. An item that is nothing is left out; a construct that gives a list is spliced.
   *
   * @minItems 1
   */
  command?: [Template, ...Template[]]
  /**
   * A document for Docker Compose, or the path of one beside the manifest. Publish ports on the loopback address only.
   */
  compose?: Template &
    (
      | string
      | {
          [k: string]: unknown
        }
      | null
    )
  /**
   * Variables for it. The only place for the key: a command line can be read by every user of the machine.
   */
  env?: Texts
  /**
   * Variables that it is handed though they look like secrets. All others that do are kept from it.
   */
  pass?: Name[] | null
  /**
   * The command ends by itself and leaves the service running; `stop.command` ends that.
   */
  returns?: boolean | null
  /**
   * How it is ended.
   */
  stop?: Stop
  /**
   * A command that prints the newest lines of its log, where `returns` leaves no output to read.
   *
   * @minItems 1
   */
  logs?: [Template, ...Template[]]
} | null
/**
 * How a service is ended: a signal to all its processes or a command, and what is left after the grace is killed.
 */
export type Stop = {
  /**
   * Default: `SIGTERM`.
   */
  signal?: 'SIGTERM' | 'SIGINT' | 'SIGQUIT' | 'SIGHUP' | null
  /**
   * How long it may take. Default: `10s`.
   */
  grace?: Duration
  /**
   * A command that ends it.
   *
   * @minItems 1
   */
  command?: [Template, ...Template[]]
} | null

/**
 * How a provider, or a dialect that providers share, behaves. In a manifest that extends another, maps merge by key, everything else replaces, `key: null` deletes, `key+:` appends to a list, and a map with `$` keys replaces as a whole.
 */
export interface Manifest {
  /**
   * The name by which it is called: `id/model`.
   */
  id: Id
  /**
   * What people call it.
   */
  name?: string | null
  /**
   * Where the provider describes its API.
   */
  docs?: string | null
  /**
   * How far this manifest is proved, and by what.
   */
  status?: string | null
  /**
   * The manifest that this one changes, or several, laid over each other from left to right. Its own id means the one of a lower layer. `id`, `name`, `docs` and `status` are not taken over.
   */
  extends?: Parents
  /**
   * The address that the operations' paths are put behind; may hold variables (`https://{$env.resource}.example.com/v1`). A manifest without one is a dialect.
   */
  base?: string | null
  /**
   * What carries the calls: `http`, or an engine in this process, which takes the body as it is and answers with frames. A manifest with one needs no `base`.
   */
  transport?: 'http' | 'llama' | 'onnx' | null
  /**
   * What `$env.<name>` may read, and from where.
   */
  variables?: Variables
  /**
   * How the provider wants to be shown a key.
   */
  auth?: Auth
  /**
   * Headers of every call.
   */
  headers?: Texts
  /**
   * Parameters of every call's address.
   */
  query?: Texts
  /**
   * Fragments for `$use`. They are merged before they are used, so that a change of one reaches every use.
   */
  define?: {
    [k: string]: Fragment
  } | null
  /**
   * What the provider can do.
   */
  operations?: Operations
  /**
   * How the provider spells an error.
   */
  error?: ErrorFields
  /**
   * What its errors mean, the first that fits; what plain HTTP says needs no row.
   */
  errors?: ErrorRule[] | null
  /**
   * More rows, after those of the extended manifest.
   */
  'errors+'?: ErrorRule[]
  /**
   * Where replies say how much is left.
   */
  limits?: Limits
  /**
   * Clocks that this provider needs otherwise than by default, as spans (`10m`, `90s`) or `none`. The runtime's options and the request go over them.
   */
  timeouts?: Timeouts
  /**
   * What models cost, in US dollars for a million tokens; with it a result has its `cost`. The package brings none, since they change.
   */
  prices?: Prices
  /**
   * Changes for some models, laid over the manifest in order.
   */
  models?: ModelPatch[] | null
  /**
   * More changes, after those of the extended manifest.
   */
  'models+'?: ModelPatch[]
  /**
   * Other wires that the provider speaks, by name.
   */
  wires?: {
    [k: string]: Wire
  } | null
  /**
   * How the engine behind this provider is started, asked for its health and stopped, where it can run on this machine.
   */
  service?: Service
}
/**
 * The environment variables that hold the two.
 */
export interface BasicSlots {
  /**
   * Who.
   */
  user: Names
  /**
   * The password.
   */
  password: Names
}
/**
 * A frame that looks like this.
 */
export interface ProofWhen {
  /**
   * What the closing frame looks like.
   */
  when: Pattern
}
/**
 * Once, before anything else.
 */
export interface StartEmit {
  /**
   * What is emitted.
   */
  type?: 'start'
  /**
   * The reply's id.
   */
  id?: Template
  /**
   * The model that answers.
   */
  model?: Template
  /**
   * Which of several choices this belongs to.
   */
  choice?: Template
}
/**
 * Text for the user.
 */
export interface TextEmit {
  /**
   * What is emitted.
   */
  type?: 'text'
  /**
   * The piece of text.
   */
  delta?: Template
  /**
   * An opaque token that must go back.
   */
  signature?: Template
  /**
   * The number of the block.
   */
  index?: Template
  /**
   * Which of several choices this belongs to.
   */
  choice?: Template
}
/**
 * What the model thinks.
 */
export interface ReasoningEmit {
  /**
   * What is emitted.
   */
  type?: 'reasoning'
  /**
   * The piece of text.
   */
  delta?: Template
  /**
   * An opaque token that must go back.
   */
  signature?: Template
  /**
   * The number of the block.
   */
  index?: Template
  /**
   * Which of several choices this belongs to.
   */
  choice?: Template
}
/**
 * The model declines.
 */
export interface RefusalEmit {
  /**
   * What is emitted.
   */
  type?: 'refusal'
  /**
   * The piece of text.
   */
  delta?: Template
  /**
   * The number of the block.
   */
  index?: Template
  /**
   * Which of several choices this belongs to.
   */
  choice?: Template
}
/**
 * What this frame says about a call.
 */
export interface ToolEmit {
  /**
   * What is emitted.
   */
  type?: 'tool'
  /**
   * The number of the call or block.
   */
  index?: Template
  /**
   * The call's id.
   */
  id?: Template
  /**
   * The tool's name.
   */
  name?: Template
  /**
   * A piece of the arguments' text.
   */
  delta?: Template
  /**
   * All arguments: a map or its JSON text; replaces what came before.
   */
  arguments?: Template
  /**
   * A path in the arguments at which `value` is set.
   */
  path?: Template
  /**
   * With `path`: what is set there.
   */
  value?: Template
  /**
   * The call is complete.
   */
  done?: Template
  /**
   * `custom`: a tool that takes free text.
   */
  kind?: Template
  /**
   * A call that the provider runs itself: its block as it begins. What comes of it is a `raw`, said when it closes.
   */
  block?: Template
  /**
   * The key of `block` that holds the arguments.
   */
  into?: string | null
  /**
   * An opaque token that must go back.
   */
  signature?: Template
  /**
   * Which of several choices this belongs to.
   */
  choice?: Template
}
/**
 * A block ends.
 */
export interface EndEmit {
  /**
   * What is emitted.
   */
  type?: 'end'
  /**
   * The number of the block.
   */
  index?: Template
  /**
   * Which of several choices this belongs to.
   */
  choice?: Template
}
/**
 * Something that the answer rests on.
 */
export interface SourceEmit {
  /**
   * What is emitted.
   */
  type?: 'source'
  /**
   * Its id.
   */
  id?: Template
  /**
   * Its address.
   */
  url?: Template
  /**
   * Its title.
   */
  title?: Template
  /**
   * The passage.
   */
  text?: Template
  /**
   * The number of the block.
   */
  index?: Template
  /**
   * Which of several choices this belongs to.
   */
  choice?: Template
}
/**
 * A file that the model made.
 */
export interface FileEmit {
  /**
   * What is emitted.
   */
  type?: 'file'
  /**
   * Its media type.
   */
  mediaType?: Template
  /**
   * Its address.
   */
  url?: Template
  /**
   * Its bytes as base64.
   */
  data?: Template
  /**
   * An opaque token that must go back.
   */
  signature?: Template
  /**
   * The number of the block.
   */
  index?: Template
  /**
   * Which of several choices this belongs to.
   */
  choice?: Template
}
/**
 * A piece of sound.
 */
export interface AudioEmit {
  /**
   * What is emitted.
   */
  type?: 'audio'
  /**
   * Bytes, or base64.
   */
  data?: Template
  /**
   * Its media type.
   */
  mediaType?: Template
  /**
   * What is said.
   */
  text?: Template
  /**
   * The number of the block.
   */
  index?: Template
  /**
   * Which of several choices this belongs to.
   */
  choice?: Template
}
/**
 * A vector.
 */
export interface EmbeddingEmit {
  /**
   * What is emitted.
   */
  type?: 'embedding'
  /**
   * The number of the input.
   */
  index?: Template
  /**
   * The numbers.
   */
  vector?: Template
  /**
   * Which of several choices this belongs to.
   */
  choice?: Template
}
/**
 * How well a document fits.
 */
export interface ScoreEmit {
  /**
   * What is emitted.
   */
  type?: 'score'
  /**
   * The number of the document.
   */
  index?: Template
  /**
   * The score.
   */
  score?: Template
  /**
   * Which of several choices this belongs to.
   */
  choice?: Template
}
/**
 * A piece of a transcript.
 */
export interface SegmentEmit {
  /**
   * What is emitted.
   */
  type?: 'segment'
  /**
   * What is said.
   */
  text?: Template
  /**
   * Seconds from the beginning.
   */
  start?: Template
  /**
   * Seconds from the beginning.
   */
  end?: Template
  /**
   * Which of several choices this belongs to.
   */
  choice?: Template
}
/**
 * How far a job is.
 */
export interface ProgressEmit {
  /**
   * What is emitted.
   */
  type?: 'progress'
  /**
   * The provider's word for it.
   */
  status?: Template
  /**
   * From 0 to 1; made of `completed` and `total` when absent.
   */
  fraction?: Template
  /**
   * How much is done: bytes, percent, steps.
   */
  completed?: Template
  /**
   * How much there is of it.
   */
  total?: Template
  /**
   * Which of several parts `completed` and `total` count; the fraction is that of all parts known so far.
   */
  part?: Template
  /**
   * Which of several choices this belongs to.
   */
  choice?: Template
}
/**
 * One model of the provider's list.
 */
export interface ModelEmit {
  /**
   * What is emitted.
   */
  type?: 'model'
  /**
   * Its id.
   */
  id?: Template
  /**
   * Its name.
   */
  name?: Template
  /**
   * Tokens that it reads at most.
   */
  contextLength?: Template
  /**
   * Tokens that it writes at most.
   */
  maxOutputTokens?: Template
  /**
   * Which of several choices this belongs to.
   */
  choice?: Template
}
/**
 * A block that only its own provider reads back.
 */
export interface RawEmit {
  /**
   * What is emitted.
   */
  type?: 'raw'
  /**
   * The block.
   */
  data?: Template
  /**
   * The number of the block.
   */
  index?: Template
  /**
   * Which of several choices this belongs to.
   */
  choice?: Template
}
/**
 * Something that the caller should know, and that is no error.
 */
export interface WarningEmit {
  /**
   * What is emitted.
   */
  type?: 'warning'
  /**
   * The field of the request that it is about.
   */
  field?: Template
  /**
   * What is told.
   */
  reason?: Template
  /**
   * Which of several choices this belongs to.
   */
  choice?: Template
}
/**
 * Token counts, read by the operation's `usage`.
 */
export interface UsageEmit {
  /**
   * What is emitted.
   */
  type?: 'usage'
  /**
   * What the provider sent.
   */
  raw?: Template
  /**
   * true: over what came before, not instead of it.
   */
  merge?: Template
  /**
   * Which of several choices this belongs to.
   */
  choice?: Template
}
/**
 * Why the model stopped, read by the operation's `finish`.
 */
export interface FinishEmit {
  /**
   * What is emitted.
   */
  type?: 'finish'
  /**
   * The provider's word.
   */
  raw?: Template
  /**
   * What it means, where the rule itself says so; the operation's `finish` isn't asked.
   */
  reason?: Reason
  /**
   * Which of several choices this belongs to.
   */
  choice?: Template
}
/**
 * The provider failed in mid-stream, read by `error` and `errors`.
 */
export interface ErrorEmit {
  /**
   * What is emitted.
   */
  type?: 'error'
  /**
   * What it sent.
   */
  body?: Template
  /**
   * Which of several choices this belongs to.
   */
  choice?: Template
}
/**
 * What an error means.
 */
export interface ErrorRule {
  /**
   * What it looks like: a pattern on `{ status, headers, body, message, type, code, param }`.
   */
  when: Pattern
  /**
   * What it means.
   */
  kind: ErrorKind
  /**
   * Milliseconds after which to try again, where the provider says so outside the usual headers.
   */
  after?: Template
  /**
   * One sentence on what to do.
   */
  hint?: string
}
/**
 * What is different for some models.
 */
export interface ModelPatch {
  /**
   * The models' names: text in which `*` stands for any characters, or a list of such texts.
   */
  match: string | [string, ...string[]]
  /**
   * The address that the operations' paths are put behind; may hold variables (`https://{$env.resource}.example.com/v1`). A manifest without one is a dialect.
   */
  base?: string | null
  /**
   * What `$env.<name>` may read, and from where.
   */
  variables?: Variables
  /**
   * How the provider wants to be shown a key.
   */
  auth?: Auth
  /**
   * Headers of every call.
   */
  headers?: Texts
  /**
   * Parameters of every call's address.
   */
  query?: Texts
  /**
   * Fragments for `$use`. They are merged before they are used, so that a change of one reaches every use.
   */
  define?: {
    [k: string]: Fragment
  } | null
  /**
   * What the provider can do.
   */
  operations?: Operations
  /**
   * How the provider spells an error.
   */
  error?: ErrorFields
  /**
   * What its errors mean, the first that fits; what plain HTTP says needs no row.
   */
  errors?: ErrorRule[] | null
  /**
   * More rows, after those of the extended manifest.
   */
  'errors+'?: ErrorRule[]
  /**
   * Where replies say how much is left.
   */
  limits?: Limits
}
