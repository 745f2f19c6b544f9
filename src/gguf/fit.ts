export function fit(
  _header: object,
  options: { ramFree: number; vramFree: number; sequences: number; contextLength?: number; gpuLayers?: number | 'auto' | 'max' },
): { gpuLayers: number; contextLength: number; ramBytes: number; vramBytes: number } {
  return { gpuLayers: 0, contextLength: options.contextLength ?? 2048, ramBytes: 0, vramBytes: 0 }
}
