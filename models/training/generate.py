"""Makes the corpus: `python3 generate.py SEED COUNT OUT.npz VOCABULARY.json [echo]`.

Samples are cut into tokens and stored one after another, with a weight for each token. Without a vocabulary, one is learnt first.
With `echo`, nearly half of the samples are plain copying, which is where training begins.
"""

import json
import random
import re
import sys
from pathlib import Path

import numpy

import tokens
from corpus import calling, copying, filling, results, smalltalk
from corpus.chat import BRANCH

SIZE = 2304  # tokens in the vocabulary
MIX = (
    (calling.sample, 0.50),
    (copying.sample, 0.15),
    (filling.sample, 0.11),
    (results.sample, 0.05),
    (smalltalk.sample, 0.17),
    (None, 0.02),
)
ECHOES = ((copying.echo_sample, 0.45), *MIX)  # to begin with
LONGEST = 1200


def held_out():
    """Finds what the evaluation asks: names of its tools, and whole messages. A sample that happens to make one up is thrown away."""
    names, messages = set(), set()
    for path in (Path(__file__).parent / "../evaluation").glob("*.jsonl"):
        prompts = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        said = [next(turn["content"] for turn in prompt["messages"] if turn["role"] == "user") for prompt in prompts]
        messages |= {text for text in said if len(text.split()) > 3}  # what everybody says ("Hello!") can't be held out
        if path.stem == "tool":
            names |= {tool["name"] for prompt in prompts for tool in prompt.get("tools", [])}
    name = re.compile(r"\b(" + "|".join(sorted(names)) + r")\b")
    message = re.compile(r"<\|user\|>(.*?)<\|end\|>", re.DOTALL)
    return lambda text: name.search(text) or not messages.isdisjoint(message.findall(text))


def long(r):
    """Several conversations as one: much stands between a fact and its question, and between a tool and its call."""
    pieces = []
    while sum(len(text) for text, _ in pieces) < r.choice((1000, 2000, 4000)):
        make = r.choice((copying.sample, smalltalk.sample, filling.sample))
        pieces += make(r)
    return pieces


def sample(r, mix=MIX):
    make = r.choices([entry[0] for entry in mix], [entry[1] for entry in mix])[0]
    return (make or long)(r)


def encoded(vocabulary, pieces):
    """Tokens of a sample, each with the weight of the piece in which it starts, and with the number of its branch."""
    ids, weights, branches, part = [], [], [], []
    for piece in [*pieces, BRANCH]:
        if piece is not BRANCH:
            part.append(piece)
            continue
        line, its = _encoded(vocabulary, part)
        branches += [branches[-1] + 1 if branches else 0] * len(line)
        ids, weights, part = ids + line, weights + its, []
    return ids, weights, branches


def _encoded(vocabulary, pieces):
    text = "".join(piece for piece, _ in pieces)
    ids = vocabulary.encode(text)
    bounds, at = [], 0
    for piece, weight in pieces:
        at += len(piece.encode())
        bounds.append((at, weight))
    weights, at, index = [], 0, 0
    for token in ids:
        while at >= bounds[index][0]:
            index += 1
        weights.append(bounds[index][1])
        at += 1 if vocabulary.types[token] == tokens.BYTE else len(vocabulary.texts[token].replace("▁", " ").encode())
    return ids, weights


def main(seed, count, out, vocabulary_path, mix=MIX):
    r = random.Random(seed)
    try:
        vocabulary = tokens.Vocabulary.load(vocabulary_path)
    except FileNotFoundError:
        drawn = ["".join(text for text, _ in sample(r)) for _ in range(12_000)]
        vocabulary = tokens.Vocabulary(tokens.learn(drawn, SIZE))
        vocabulary.save(vocabulary_path)
        r = random.Random(seed)
    ids, weights, branches, starts, forbidden = [], [], [], [0], held_out()
    while len(starts) <= count:
        pieces = sample(r, mix)
        if forbidden("".join(piece for piece, _ in pieces)):
            continue
        line, its, numbers = encoded(vocabulary, pieces)
        if len(line) <= LONGEST:
            ids.append(numpy.array(line, dtype=numpy.uint16))
            weights.append(numpy.array([round(weight * 100) for weight in its], dtype=numpy.uint8))
            branches.append(numpy.array(numbers, dtype=numpy.uint8))
            starts.append(starts[-1] + len(line))
    arrays = {"ids": ids, "weights": weights, "branches": branches}
    numpy.savez(out, starts=numpy.array(starts), **{name: numpy.concatenate(parts) for name, parts in arrays.items()})
    print(f"{count} samples, {starts[-1]} tokens, {len(vocabulary)} in the vocabulary", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4], ECHOES if "echo" in sys.argv[5:] else MIX)
