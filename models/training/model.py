"""Pocket's network: a small llama. Parameters carry the names that they have in the GGUF file."""

import math

import torch
from torch import nn
from torch.nn import functional

# Heads of 64: llama.cpp's AVX-512 kernels take 64 values at a step, and do the rest of a row one by one. With heads of 32
# all of the attention is such a rest, and costs more than everything else together.
SHAPE = {"width": 192, "layers": 5, "head": 64, "hidden": 384, "rope": 10000.0}


class Pocket(nn.Module):
    def __init__(self, vocabulary, shape=SHAPE):
        super().__init__()
        self.shape = shape
        width, hidden = shape["width"], shape["hidden"]
        weights = {"token_embd.weight": torch.randn(vocabulary, width) * 0.05}
        for layer in range(shape["layers"]):
            block = f"blk.{layer}"
            weights[f"{block}.attn_norm.weight"] = torch.ones(width)
            for name in ("attn_q", "attn_k", "attn_v"):
                weights[f"{block}.{name}.weight"] = _matrix(width, width)
            weights[f"{block}.attn_output.weight"] = _matrix(width, width) * 0.3
            weights[f"{block}.ffn_norm.weight"] = torch.ones(width)
            weights[f"{block}.ffn_gate.weight"] = _matrix(hidden, width)
            weights[f"{block}.ffn_up.weight"] = _matrix(hidden, width)
            weights[f"{block}.ffn_down.weight"] = _matrix(width, hidden) * 0.3
        weights["output_norm.weight"] = torch.ones(width)
        self.weights = nn.ParameterDict({name.replace(".", "/"): nn.Parameter(value) for name, value in weights.items()})

    def named(self):
        return {name.replace("/", "."): value for name, value in self.weights.items()}

    def forward(self, ids, wanted):
        """Logits at the `wanted` positions (flat indices) of a batch of rows. Matrix products run in bfloat16."""
        weight = lambda name: self.weights[name.replace(".", "/")]  # noqa: E731
        rows, length = ids.shape
        width, head = self.shape["width"], self.shape["head"]
        heads = width // head
        cos, sin = _angles(length, head, self.shape["rope"])
        mask = torch.full((length, length), -1e9).triu(1)
        stream = functional.embedding(ids, weight("token_embd.weight"))
        for layer in range(self.shape["layers"]):
            block = f"blk.{layer}"
            inner = _norm(stream, weight(f"{block}.attn_norm.weight"))
            joined = torch.cat([weight(f"{block}.{name}.weight") for name in ("attn_q", "attn_k", "attn_v")])
            query, key, value = _product(inner, joined).view(rows, length, 3, heads, head).permute(2, 0, 3, 1, 4)
            query, key = _rotate(query, cos, sin) / math.sqrt(head), _rotate(key, cos, sin)
            scores = torch.matmul(query.bfloat16(), key.bfloat16().transpose(-1, -2)).float() + mask
            mixed = torch.matmul(torch.softmax(scores, -1).bfloat16(), value.bfloat16())
            mixed = mixed.transpose(1, 2).reshape(rows, length, width)
            stream = stream + _product(mixed, weight(f"{block}.attn_output.weight"))
            inner = _norm(stream, weight(f"{block}.ffn_norm.weight"))
            joined = torch.cat([weight(f"{block}.{name}.weight") for name in ("ffn_gate", "ffn_up")])
            gate, up = _product(inner, joined).chunk(2, -1)
            stream = stream + _product(functional.silu(gate) * up, weight(f"{block}.ffn_down.weight"))
        chosen = _norm(stream, weight("output_norm.weight")).view(-1, width)[wanted]
        return _product(chosen, weight("token_embd.weight"))


def _matrix(rows, columns):
    return torch.randn(rows, columns) / math.sqrt(columns)


def _product(inputs, weight):
    return functional.linear(inputs.bfloat16(), weight.bfloat16()).float()


def _norm(inputs, weight):
    return inputs * torch.rsqrt(inputs.square().mean(-1, keepdim=True) + 1e-5) * weight


def _angles(length, head, base):
    steps = base ** (-torch.arange(0, head, 2) / head)
    angles = torch.arange(length)[:, None] * steps
    return angles.cos(), angles.sin()


def _rotate(inputs, cos, sin):
    """Turns the pairs (2i, 2i + 1), as llama.cpp does for this architecture."""
    even, odd = inputs[..., 0::2], inputs[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)
