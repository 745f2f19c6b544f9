"""Trains Pocket: `python3 train.py OUT.pt VOCABULARY.json [BEGIN.pt] CORPUS.npz …`.

One pass over the files, in their order, and no longer than the variable MINUTES says. Two cores are two runs at once, each
with files of its own, that share what they learn: see Mate. Matrices are updated by Muon (momentum,
made orthogonal by Newton and Schulz), the rest by Adam. The learning rate rises for a moment, stays, and falls to zero over the
last part. What is kept is a running mean of the weights. A line of the log: step, tokens so far, loss, tokens a second.
"""

import os
import random
import sys
import time

import numpy
import torch

import tokens
from kernels import Surprise
from model import Pocket

SEED = 7
BATCH = 6144  # tokens in a step, padding included
MUON, ADAM = 0.02, 0.003
WARM = 60  # steps
FALL = float(os.environ.get("FALL", "0.6"))  # the part of the run in which the learning rate falls to zero


def batches(path, r):
    """Rows of nearly the same length, so that little is padding."""
    corpus = numpy.load(path)
    ids, weights, numbers, starts = (corpus[name] for name in ("ids", "weights", "branches", "starts"))
    for first in range(0, len(starts) - 1, 2048):
        group = sorted(range(first, min(first + 2048, len(starts) - 1)), key=lambda index: starts[index + 1] - starts[index])
        found, rows = [], []
        for index in group:
            length = starts[index + 1] - starts[index]
            if rows and (len(rows) + 1) * length > BATCH:
                found.append(rows)
                rows = []
            rows.append(index)
        found.append(rows)
        r.shuffle(found)
        for rows in found:
            width = max(starts[index + 1] - starts[index] for index in rows)
            text = numpy.zeros((len(rows), width), dtype=numpy.int64)
            weight = numpy.zeros((len(rows), width), dtype=numpy.float32)
            branch = numpy.zeros((len(rows), width), dtype=numpy.int64)
            for row, index in enumerate(rows):
                begin, end = starts[index], starts[index + 1]
                text[row, : end - begin] = ids[begin:end]
                weight[row, : end - begin] = weights[begin:end] / 100
                branch[row, : end - begin] = numbers[begin:end]
                branch[row, end - begin :] = numbers[end - 1]  # padding goes on as the last branch
            yield torch.from_numpy(text), torch.from_numpy(weight), torch.from_numpy(branch) if branch.any() else None


def loss_of(model, text, weight, branch, r):
    """The weighted loss. Of what counts little, every eighth token is looked at, for speed, and counts eightfold."""
    goal, weight = text[:, 1:], weight[:, 1:].clone()
    little = (weight > 0) & (weight < 0.5)
    weight[little] *= 8
    kept = (weight > 0) & (~little | (torch.rand(weight.shape, generator=r) < 0.125))
    wanted = torch.zeros_like(text, dtype=torch.bool)
    wanted[:, :-1] = kept
    logits = model(text, wanted.flatten().nonzero().squeeze(1), branch)
    loss, losses = Surprise.apply(logits, goal[kept], weight[kept])
    return loss, losses[weight[kept] >= 0.99].mean().item()


class Muon:
    """Momentum whose matrices are made nearly orthogonal, all of one shape at once."""

    def __init__(self, matrices):
        self.groups = {}
        for matrix in matrices:
            self.groups.setdefault(tuple(sorted(matrix.shape)), []).append(matrix)
        self.momentum = {matrix: torch.zeros_like(matrix) for matrix in matrices}

    @torch.no_grad()
    def step(self, rate):
        for group in self.groups.values():
            updates = []
            for matrix in group:
                momentum = self.momentum[matrix].lerp_(matrix.grad, 0.05)
                update = matrix.grad.lerp(momentum, 0.95)
                updates.append(update.T if update.shape[0] > update.shape[1] else update)
            for matrix, update in zip(group, orthogonal(torch.stack(updates))):
                update = update.T if matrix.shape[0] > matrix.shape[1] else update
                matrix.mul_(1 - rate * 0.02)
                matrix.add_(update, alpha=-rate * max(1, matrix.shape[0] / matrix.shape[1]) ** 0.5)


def orthogonal(batch):
    batch = batch / (batch.norm(dim=(1, 2), keepdim=True) + 1e-7)
    batch = batch.bfloat16()
    for _ in range(5):
        square = batch @ batch.transpose(1, 2)
        batch = 3.4445 * batch + (-4.775 * square + 2.0315 * (square @ square)) @ batch
    return batch.float()


class Mate:
    """Another run of this program on other samples. Now and then each takes the mean of both their weights.

    `MATES=MINE,THEIRS` names two files in which they leave them. A mate that left nothing new since the last time isn't waited for.
    """

    def __init__(self, paths, size):
        mine, theirs = paths.split(",")
        self.mine = numpy.memmap(mine, dtype=numpy.float32, mode="w+", shape=(size + 1,))
        self.path, self.size, self.theirs, self.seen = theirs, size, None, 0.0

    @torch.no_grad()
    def meet(self, named):
        if self.theirs is None and os.path.exists(self.path) and os.path.getsize(self.path) == self.mine.nbytes:
            self.theirs = numpy.memmap(self.path, dtype=numpy.float32, mode="r", shape=(self.size + 1,))
        fresh = self.theirs is not None and float(self.theirs[0]) != self.seen
        at = 1
        for value in named.values():
            part = slice(at, at + value.numel())
            if fresh:
                value.lerp_(torch.from_numpy(self.theirs[part].copy()).view_as(value), 0.5)
            self.mine[part] = value.flatten().numpy()
            at += value.numel()
        if fresh:
            self.seen = float(self.theirs[0])
        self.mine[0] += 1


def main(out, vocabulary_path, paths):
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    r, dice = random.Random(SEED), torch.Generator().manual_seed(SEED)
    model = Pocket(len(tokens.Vocabulary.load(vocabulary_path)))
    named = model.named()
    if paths[0].endswith(".pt"):
        begin = torch.load(paths.pop(0))["weights"]
        with torch.no_grad():
            for name, value in named.items():
                value.copy_(begin[name])
    kept = {name: value.detach().clone() for name, value in named.items()}
    matrices = [value for name, value in named.items() if value.ndim == 2 and name.startswith("blk")]
    rest = [value for name, value in named.items() if not (value.ndim == 2 and name.startswith("blk"))]
    muon, adam = Muon(matrices), torch.optim.Adam(rest, lr=ADAM, betas=(0.9, 0.95))
    mate = Mate(os.environ["MATES"], sum(value.numel() for value in named.values())) if "MATES" in os.environ else None
    total = sum(1 for path in paths for _ in batches(path, random.Random(SEED)))
    print(f"{sum(value.numel() for value in named.values())} parameters, {total} steps", flush=True)
    seen, mean, started = 0, None, time.time()
    minutes = float(os.environ.get("MINUTES", "inf"))
    for step, (text, weight, branch) in enumerate(batch for path in paths for batch in batches(path, r)):
        done = max(step / total, (time.time() - started) / 60 / minutes)
        if done >= 1:
            break
        rate = min(1, (step + 1) / WARM, (1 - done) / max(FALL, 1e-9))
        loss, sure = loss_of(model, text, weight, branch, dice)
        model.zero_grad()
        loss.backward()
        muon.step(MUON * rate)
        torch.nn.utils.clip_grad_norm_(rest, 1.0)
        adam.param_groups[0]["lr"] = ADAM * rate
        adam.step()
        if mate and step % 8 == 7:
            mate.meet(named)
        with torch.no_grad():
            for name, value in named.items():
                kept[name].lerp_(value, max(0.01, 1 / (step + 1)))
        seen += text.numel()
        mean = sure if mean is None else 0.97 * mean + 0.03 * sure
        if step % 25 == 0:
            print(f"{step} {seen} {mean:.4f} {seen / (time.time() - started):.0f}", flush=True)
        if step % 250 == 249:
            torch.save({"shape": model.shape, "weights": kept}, out)
    torch.save({"shape": model.shape, "weights": kept}, out)
    print(f"{step + 1} steps, {seen} tokens, loss {mean:.4f}, {(time.time() - started) / 60:.1f} minutes")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
