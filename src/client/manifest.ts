// The types of manifests, made from their schema, for whoever writes one in TypeScript.
export type { Manifest, ModelPatch, Operation as ManifestOperation, Rule as ManifestRule } from '../manifest/schema.ts'
