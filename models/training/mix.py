"""Mixes the weights of two stages: `python3 mix.py LATER.pt EARLIER.pt SHARE OUT.pt`. SHARE, from 0 to 1, is the earlier one's.

A mean of two points on one path of training often does better than its end: what the last corpus taught stays, and what it
wore away comes back.
"""

import sys

import torch


def main(later, earlier, share, out):
    made, before = torch.load(later), torch.load(earlier)["weights"]
    made["weights"] = {name: value.lerp(before[name], share) for name, value in made["weights"].items()}
    torch.save(made, out)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4])
