/** Files as the Hugging Face tokenizers library writes them, small. */

const special = (content: string, id: number): object => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
})

function template(begin: [string, number], end: [string, number]): object {
  const mark = ([id]: [string, number], type: number): object => ({ SpecialToken: { id, type_id: type } })
  const text = (id: string, type: number): object => ({ Sequence: { id, type_id: type } })
  return {
    type: 'TemplateProcessing',
    single: [mark(begin, 0), text('A', 0), mark(end, 0)],
    pair: [mark(begin, 0), text('A', 0), mark(end, 0), text('B', 1), mark(end, 1)],
    special_tokens: Object.fromEntries([begin, end].map(([id, number]) => [id, { id, ids: [number], tokens: [id] }])),
  }
}

const wordPieceVocab = [
  '[PAD]',
  '[UNK]',
  '[CLS]',
  '[SEP]',
  'the',
  'sky',
  'is',
  'blue',
  'un',
  '##happy',
  '##s',
  'café',
  '空',
  '[',
  ']',
  'sep',
  'why',
  '?',
]

/** What WordPiece calls each word of its vocabulary. */
export const wordIds = Object.fromEntries(wordPieceVocab.map((word, id) => [word, id]))

export function wordPiece(more: Record<string, unknown> = {}): object {
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: ['[PAD]', '[UNK]', '[CLS]', '[SEP]'].map(special),
    normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: false, lowercase: true },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: template(['[CLS]', 2], ['[SEP]', 3]),
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: wordIds,
    },
    ...more,
  }
}

/** The 256 characters that byte-level BPE writes bytes as: the printable ones themselves, the others from U+0100 on. */
function byteAlphabet(): string[] {
  let next = 256
  const plain = (byte: number): boolean => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173)
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(plain(byte) ? byte : next++))
}

/** Byte-level BPE: special tokens first, then the bytes in their order, then what the merges make. */
export function byteLevelBpe(
  merges: [string, string][] = [
    ['h', 'e'],
    ['l', 'l'],
    ['he', 'll'],
  ],
): { file: object; byteId: (byte: number) => number; mergeId: (index: number) => number } {
  const specials = ['<s>', '<pad>', '</s>', '<unk>']
  const words = [...specials, ...byteAlphabet(), ...merges.map(([left, right]) => left + right)]
  return {
    byteId: (byte) => specials.length + byte,
    mergeId: (index) => specials.length + 256 + index,
    file: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: specials.map(special),
      normalizer: null,
      pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      post_processor: template(['<s>', 0], ['</s>', 2]),
      decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
      model: {
        type: 'BPE',
        dropout: null,
        unk_token: '<unk>',
        continuing_subword_prefix: '',
        end_of_word_suffix: '',
        fuse_unk: false,
        vocab: Object.fromEntries(words.map((word, id) => [word, id])),
        merges: merges.map(([left, right]) => `${left} ${right}`),
      },
    },
  }
}

const unigramVocab: [string, number][] = [
  ['<s>', 0],
  ['<pad>', 0],
  ['</s>', 0],
  ['<unk>', 0],
  ['▁a', -2],
  ['▁', -3],
  ['<', -4],
  ['s', -4],
  ['>', -4],
]

/** Unigram as of sentencepiece, in which the special tokens score better than anything that a text could be read as. */
export function unigram(): object {
  return {
    version: '1.0',
    truncation: { direction: 'Right', max_length: 128, strategy: 'LongestFirst', stride: 0 },
    padding: { strategy: 'BatchLongest', direction: 'Right', pad_id: 1, pad_type_id: 0, pad_token: '<pad>' },
    added_tokens: unigramVocab.slice(0, 4).map(([content], id) => special(content, id)),
    normalizer: null,
    pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    post_processor: template(['<s>', 0], ['</s>', 2]),
    decoder: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true },
    model: { type: 'Unigram', unk_id: 3, vocab: unigramVocab, byte_fallback: false },
  }
}
