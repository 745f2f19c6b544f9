export { createRuntime } from './client/runtime.ts'
export type { BoundModel, ModelFilter, Runtime } from './client/runtime.ts'
export type { ExplainOptions } from './client/calls.ts'
export type { Device, EngineHealth, Health, LoadedModel } from './client/health.ts'
export type { Metrics, ModelMetrics } from './client/metrics.ts'
export type { ProviderInfo } from './client/providers.ts'
export type { Manifest, ManifestOperation, ManifestRule, ModelPatch } from './client/manifest.ts'
export type { Limits, ProviderOptions, RuntimeOptions, TaskOptions } from './client/options.ts'
export type { LocalModel, LocalModels, ModelInspection, PullOptions, PullProgress } from './client/local.ts'
export type { ExplainedField, Explanation } from './client/explain.ts'
export type { Exchange, Replayed, ReplayOptions } from './client/replay.ts'
export type { EngineOptions, EngineResult, Engines } from './client/engines.ts'
export type { Stream } from './client/stream.ts'
export type { ServiceOptions, ServiceStatus, Serving } from './client/serving.ts'
export { checkTask } from './client/tasks.ts'
export type {
  InferOptions,
  InferRequest,
  InferResult,
  InferStream,
  JsonSchema,
  TaskCounts,
  TaskEvent,
  TaskFilter,
  TaskKind,
  TaskPriority,
  TaskRecord,
  Tasks,
  TaskState,
} from './client/tasks.ts'
export { countTokens } from './client/tokens.ts'
export type { Encoding } from './client/tokens.ts'
export { ModelwireError } from './core/error.ts'
export type { ErrorDetails, ErrorKind, TimeoutPhase } from './core/error.ts'
export type * from './core/event.ts'
export type {
  AudioPart,
  CallOptions,
  ChatRequest,
  Data,
  EmbedRequest,
  FilePart,
  ImagePart,
  Message,
  Part,
  RawPart,
  RawTool,
  ReasoningPart,
  RerankRequest,
  RetryOptions,
  Role,
  TextPart,
  Timeouts,
  Tool,
  ToolCallPart,
  ToolChoice,
  ToolResultPart,
  VideoPart,
} from './core/request.ts'
export type {
  ChatResult,
  Choice,
  EmbedResult,
  FinishReason,
  ModelInfo,
  OutputFile,
  RateLimit,
  RerankResult,
  ResultMeta,
  Source,
  Timing,
  ToolCall,
  Usage,
  Warning,
} from './core/result.ts'
