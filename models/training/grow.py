"""Adds layers to trained weights: `python3 grow.py BEGIN.pt OUT.pt`. Behind every second layer stands a copy of it that says nothing yet:
what it adds to the stream is nought, so the grown network answers as the old one did, and learns from there.
"""

import sys

import torch

from model import SHAPE


def grow(weights):
    grown, at = {name: value for name, value in weights.items() if not name.startswith("blk.")}, 0
    for layer in range(1 + max(int(name.split(".")[1]) for name in weights if name.startswith("blk."))):
        prefix = f"blk.{layer}."
        its = {name[len(prefix) :]: value for name, value in weights.items() if name.startswith(prefix)}
        grown.update({f"blk.{at}.{name}": value for name, value in its.items()})
        at += 1
        if layer % 2:
            silent = ("attn_output.weight", "ffn_down.weight")
            grown.update({f"blk.{at}.{name}": torch.zeros_like(value) if name in silent else value.clone() for name, value in its.items()})
            at += 1
    return grown, at


if __name__ == "__main__":
    weights, layers = grow(torch.load(sys.argv[1])["weights"])
    if layers != SHAPE["layers"]:
        raise SystemExit(f"grown to {layers} layers, and model.py says {SHAPE['layers']}")
    torch.save({"shape": SHAPE, "weights": weights}, sys.argv[2])
