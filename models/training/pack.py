"""Packs trained weights and the vocabulary into a GGUF file: `python3 pack.py WEIGHTS VOCABULARY OUT.gguf [f16]`.

Matrices are Q8_0, which is half the size and faster on a CPU; with `f16` they stay as exact as they were trained.
"""

import sys
from pathlib import Path

import numpy
import torch

import gguf
import tokens

CONTEXT = 2048


def pack(shape, weights, vocabulary, path, exact=False):
    here = Path(__file__).parent
    width, head = shape["width"], shape["head"]
    metadata = {
        "general.architecture": "llama",
        "general.name": "Pocket",
        "general.author": "Modelwire",
        "general.license": "apache-2.0",
        "general.languages": ["en"],
        "general.file_type": 1 if exact else 7,  # mostly f16, mostly Q8_0
        "general.alignment": gguf.ALIGNMENT,
        "llama.vocab_size": len(vocabulary),
        "llama.context_length": CONTEXT,
        "llama.embedding_length": width,
        "llama.block_count": shape["layers"],
        "llama.feed_forward_length": shape["hidden"],
        "llama.attention.head_count": shape["heads"],
        "llama.attention.head_count_kv": shape["heads"],
        "llama.attention.key_length": head,
        "llama.attention.value_length": head,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.dimension_count": head,
        "llama.rope.freq_base": float(shape["rope"]),
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.pre": "default",
        "tokenizer.ggml.tokens": vocabulary.texts,
        "tokenizer.ggml.scores": vocabulary.scores,
        "tokenizer.ggml.token_type": gguf.Signed(vocabulary.types),
        "tokenizer.ggml.unknown_token_id": 0,
        "tokenizer.ggml.bos_token_id": tokens.BOS,
        "tokenizer.ggml.eos_token_id": tokens.END,
        "tokenizer.ggml.eot_token_id": tokens.END,
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.ggml.add_eos_token": False,
        "tokenizer.ggml.add_space_prefix": False,
        "tokenizer.chat_template": (here / "template.jinja").read_text(encoding="utf-8").rstrip("\n"),
    }
    # Norms stay f32, as llama.cpp wants them. The name of a tensor here is its name in the file.
    tensors = {}
    for name, value in weights.items():
        array = value.detach().float().numpy()
        tensors[name] = array if array.ndim == 1 else array.astype(numpy.float16) if exact else gguf.Quantized(array)
    gguf.write(path, metadata, tensors)


if __name__ == "__main__":
    state = torch.load(sys.argv[1])
    pack(state["shape"], state["weights"], tokens.Vocabulary.load(sys.argv[2]), sys.argv[3], "f16" in sys.argv[4:])
