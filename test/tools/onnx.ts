/** Writes ONNX models, as far as tests need them. The numbers of fields are those of onnx.proto. */

export interface Node {
  op: string
  inputs: string[]
  output: string
  /** Whole numbers only. */
  attributes?: Record<string, number>
}
export interface Values {
  shape: number[]
  floats?: number[]
  ints?: number[]
}
export interface Slot {
  type: 'float' | 'int64' | 'int32'
  /** A text is a size that is known when it runs. */
  shape: (number | string)[]
}
export interface Graph {
  inputs: Record<string, Slot>
  outputs: Record<string, Slot>
  constants: Record<string, Values>
  nodes: Node[]
}

const types = { float: 1, int32: 6, int64: 7 }

export function encodeModel({ inputs, outputs, constants, nodes }: Graph): Uint8Array {
  const graph = message(
    ...nodes.map((node) => field(1, encodeNode(node))),
    text(2, 'made-by-a-test'),
    ...Object.entries(constants).map(([name, values]) => field(5, encodeTensor(name, values))),
    ...Object.entries(inputs).map(([name, slot]) => field(11, encodeSlot(name, slot))),
    ...Object.entries(outputs).map(([name, slot]) => field(12, encodeSlot(name, slot))),
  )
  return message(number(1, 8), field(7, graph), field(8, message(text(1, ''), number(2, 13))))
}

function encodeNode({ op, inputs, output, attributes = {} }: Node): Uint8Array {
  return message(
    ...inputs.map((name) => text(1, name)),
    text(2, output),
    text(3, output),
    text(4, op),
    ...Object.entries(attributes).map(([name, value]) => field(5, message(text(1, name), number(3, value), number(20, 2)))),
  )
}

function encodeTensor(name: string, { shape, floats, ints = [] }: Values): Uint8Array {
  const raw = floats === undefined ? BigInt64Array.from(ints, BigInt) : Float32Array.from(floats)
  return message(
    ...shape.map((size) => number(1, size)),
    number(2, floats === undefined ? types.int64 : types.float),
    text(8, name),
    field(9, new Uint8Array(raw.buffer)),
  )
}

function encodeSlot(name: string, { type, shape }: Slot): Uint8Array {
  const sizes = shape.map((size) => field(1, typeof size === 'number' ? number(1, size) : text(2, size)))
  return message(text(1, name), field(2, message(field(1, message(number(1, types[type]), field(2, message(...sizes)))))))
}

// ---- protobuf ----------------------------------------------------------------------------------------------------

function message(...fields: Uint8Array[]): Uint8Array {
  return Buffer.concat(fields)
}

function field(id: number, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([varint(id * 8 + 2), varint(bytes.length), bytes])
}

function text(id: number, value: string): Uint8Array {
  return field(id, Buffer.from(value))
}

function number(id: number, value: number): Uint8Array {
  return Buffer.concat([varint(id * 8), varint(value)])
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.from([...bytes, rest])
    bytes.push((rest % 128) + 128)
  }
}
