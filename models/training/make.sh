#!/bin/sh
# Makes pocket.gguf from nothing: corpus, vocabulary (if vocabulary.json is gone), training, packing. One core, about an hour and a half.
# Needs python3 with numpy and torch; on Debian: apt-get install python3-torch python3-numpy libopenblas0-pthread
set -eu
cd "$(dirname "$0")"
python="${PYTHON:-/usr/bin/python3}"
work="${1:-/tmp/pocket-work}"
mkdir -p "$work"

export OMP_NUM_THREADS=1
# glibc gives large blocks back to the system at once and asks for them again at once; not doing so makes training a tenth faster.
export MALLOC_TOP_PAD_=268435456 MALLOC_TRIM_THRESHOLD_=1000000000 MALLOC_MMAP_THRESHOLD_=1000000000

# First run: plain copying to begin with, then everything.
$python generate.py 1 9000 "$work/echo.npz" vocabulary.json echo
$python generate.py 2 22500 "$work/first.npz" vocabulary.json
$python generate.py 4 122000 "$work/main.npz" vocabulary.json
$python train.py "$work/first.pt" vocabulary.json "$work/echo.npz" "$work/first.npz" "$work/main.npz"

# Second run, from where the first ended, with the learning rate up again.
$python generate.py 5001 70000 "$work/second.npz" vocabulary.json
$python train.py "$work/pocket.pt" vocabulary.json "$work/first.pt" "$work/second.npz"

$python pack.py "$work/pocket.pt" vocabulary.json ../pocket.gguf
cd .. && sha256sum pocket.gguf >pocket.gguf.sha256
