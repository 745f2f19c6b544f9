/** How values of a tensor are packed: so many values take so many bytes. Source: ggml's block structures. */
interface Packing {
  name: string
  values: number
  bytes: number
}

const one = (name: string, bytes: number): Packing => ({ name, values: 1, bytes })
const block = (name: string, values: number, bytes: number): Packing => ({ name, values, bytes })

/** By ggml's number of the type. Numbers that are missing here were withdrawn, or are newer. */
export const packings: ReadonlyMap<number, Packing> = new Map([
  [0, one('F32', 4)],
  [1, one('F16', 2)],
  [2, block('Q4_0', 32, 18)],
  [3, block('Q4_1', 32, 20)],
  [6, block('Q5_0', 32, 22)],
  [7, block('Q5_1', 32, 24)],
  [8, block('Q8_0', 32, 34)],
  [9, block('Q8_1', 32, 36)],
  [10, block('Q2_K', 256, 84)],
  [11, block('Q3_K', 256, 110)],
  [12, block('Q4_K', 256, 144)],
  [13, block('Q5_K', 256, 176)],
  [14, block('Q6_K', 256, 210)],
  [15, block('Q8_K', 256, 292)],
  [16, block('IQ2_XXS', 256, 66)],
  [17, block('IQ2_XS', 256, 74)],
  [18, block('IQ3_XXS', 256, 98)],
  [19, block('IQ1_S', 256, 50)],
  [20, block('IQ4_NL', 32, 18)],
  [21, block('IQ3_S', 256, 110)],
  [22, block('IQ2_S', 256, 82)],
  [23, block('IQ4_XS', 256, 136)],
  [24, one('I8', 1)],
  [25, one('I16', 2)],
  [26, one('I32', 4)],
  [27, one('I64', 8)],
  [28, one('F64', 8)],
  [29, block('IQ1_M', 256, 56)],
  [30, one('BF16', 2)],
  [34, block('TQ1_0', 256, 54)],
  [35, block('TQ2_0', 256, 66)],
  [39, block('MXFP4', 32, 17)],
])

/** What a whole file is called by its `general.file_type`. */
export const quantizations: ReadonlyMap<number, string> = new Map(
  (
    '0 F32,1 F16,2 Q4_0,3 Q4_1,7 Q8_0,8 Q5_0,9 Q5_1,10 Q2_K,11 Q3_K_S,12 Q3_K_M,13 Q3_K_L,14 Q4_K_S,15 Q4_K_M,16 Q5_K_S,' +
    '17 Q5_K_M,18 Q6_K,19 IQ2_XXS,20 IQ2_XS,21 Q2_K_S,22 IQ3_XS,23 IQ3_XXS,24 IQ1_S,25 IQ4_NL,26 IQ3_S,27 IQ3_M,28 IQ2_S,' +
    '29 IQ2_M,30 IQ4_XS,31 IQ1_M,32 BF16,36 TQ1_0,37 TQ2_0,38 MXFP4'
  )
    .split(',')
    .map((pair) => {
      const [number = '', name = ''] = pair.split(' ')
      return [Number(number), name]
    }),
)
