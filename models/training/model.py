"""Pocket's network: a small llama. Parameters carry the names that they have in the GGUF file."""

import math
import os

import torch
from torch import nn
from torch.nn import functional

from kernels import Apart, Gated, Norm, Softmax

# Heads of 64: llama.cpp's AVX-512 kernels take 64 values at a step, and do the rest of a row one by one. With heads of 32
# all of the attention is such a rest, and costs more than everything else together.
# It is trained with fewer layers first (see make.sh and grow.py).
LAYERS = int(os.environ.get("LAYERS", "9"))
SHAPE = {"width": 192, "layers": LAYERS, "heads": 4, "head": 64, "hidden": 384, "rope": 10000.0}


class Pocket(nn.Module):
    def __init__(self, vocabulary, shape=SHAPE):
        super().__init__()
        self.shape = shape
        width, hidden, inner = shape["width"], shape["hidden"], shape["heads"] * shape["head"]
        weights = {"token_embd.weight": torch.randn(vocabulary, width) * 0.05}
        for layer in range(shape["layers"]):
            block = f"blk.{layer}"
            weights[f"{block}.attn_norm.weight"] = torch.ones(width)
            for name in ("attn_q", "attn_k", "attn_v"):
                weights[f"{block}.{name}.weight"] = _matrix(inner, width)
            weights[f"{block}.attn_output.weight"] = _matrix(width, inner) * 0.3
            weights[f"{block}.ffn_norm.weight"] = torch.ones(width)
            weights[f"{block}.ffn_gate.weight"] = _matrix(hidden, width)
            weights[f"{block}.ffn_up.weight"] = _matrix(hidden, width)
            weights[f"{block}.ffn_down.weight"] = _matrix(width, hidden) * 0.3
        weights["output_norm.weight"] = torch.ones(width)
        self.weights = nn.ParameterDict({name.replace(".", "/"): nn.Parameter(value) for name, value in weights.items()})

    def named(self):
        return {name.replace("/", "."): value for name, value in self.weights.items()}

    def forward(self, ids, wanted, branches=None):
        """Logits at the `wanted` positions (flat indices) of a batch of rows, in bfloat16.

        `branches`, if given, has a number for each token: what is common is 0, and a branch sees that and itself.
        """
        weight = lambda name: self.weights[name.replace(".", "/")]  # noqa: E731
        rows, length = ids.shape
        width, head, heads = self.shape["width"], self.shape["head"], self.shape["heads"]
        cosine, sine = _angles(length, head, self.shape["rope"])
        places, common, begins = _places(torch.zeros_like(ids) if branches is None else branches)
        stream, added = functional.embedding(ids, weight("token_embd.weight")).view(-1, width), None
        for layer in range(self.shape["layers"]):
            block = f"blk.{layer}"
            stream, inner = Norm.apply(stream, added, weight(f"{block}.attn_norm.weight"))
            joined = torch.cat([weight(f"{block}.{name}.weight") for name in ("attn_q", "attn_k", "attn_v")])
            joined = _product(inner, joined).view(rows, length, 3, heads, head)
            query, key, value = Apart.apply(joined, places, cosine, sine)
            chances = Softmax.apply(torch.matmul(query, key.transpose(-1, -2)), common, begins)
            mixed = torch.matmul(chances, value).transpose(1, 2).reshape(-1, heads * head)
            added = _product(mixed, weight(f"{block}.attn_output.weight"))
            stream, inner = Norm.apply(stream, added, weight(f"{block}.ffn_norm.weight"))
            joined = torch.cat([weight(f"{block}.{name}.weight") for name in ("ffn_gate", "ffn_up")])
            added = _product(Gated.apply(_product(inner, joined)), weight(f"{block}.ffn_down.weight"))
        _, chosen = Norm.apply(stream, added, weight("output_norm.weight"))
        return _product(chosen[wanted], weight("token_embd.weight"))


def _places(branches):
    """Where each token stands in its own text, how much is common in each row, and where each token's branch begins."""
    index = torch.arange(branches.shape[1]).expand(branches.shape)
    starts = torch.zeros_like(branches, dtype=torch.bool)
    starts[:, 1:] = branches[:, 1:] != branches[:, :-1]
    begins = torch.where(starts, index, torch.zeros_like(index)).cummax(1).values
    common = (branches == 0).sum(1, keepdim=True)
    places = torch.where(branches == 0, index, index - begins + common)
    return places.int(), common.flatten().int(), begins.int()


def _matrix(rows, columns):
    return torch.randn(rows, columns) / math.sqrt(columns)


def _product(inputs, weight):
    return functional.linear(inputs, weight.bfloat16())


def _angles(length, head, base):
    """Cosine and sine for the pairs (2i, 2i + 1), which llama.cpp turns for this architecture; the sine with the signs that they want."""
    steps = base ** (-torch.arange(0, head, 2) / head)
    angles = torch.arange(length)[:, None] * steps
    sine = torch.stack((-angles.sin(), angles.sin()), -1).flatten(1)
    return angles.cos().repeat_interleave(2, 1).contiguous(), sine.contiguous()
