"""Writes a corpus as text, for reading and for the check of leaks: `python3 dump.py CORPUS.npz VOCABULARY.json OUT.txt`."""

import sys

import numpy

import tokens

if __name__ == "__main__":
    corpus, vocabulary = numpy.load(sys.argv[1]), tokens.Vocabulary.load(sys.argv[2])
    ids, starts = corpus["ids"], corpus["starts"]
    with open(sys.argv[3], "w", encoding="utf-8") as file:
        for begin, end in zip(starts, starts[1:]):
            file.write(vocabulary.decode(ids[begin:end]) + "\n\n")
