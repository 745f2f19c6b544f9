#!/bin/sh
# Makes pocket.gguf from nothing: corpus, vocabulary (if vocabulary.json is gone), training, packing. Two cores, eight hours.
# Needs a C compiler, an x86-64 processor with AVX-512 and bfloat16, and python3 with numpy and torch; on Debian:
# apt-get install gcc python3-torch python3-numpy libopenblas0-pthread
set -eu
cd "$(dirname "$0")"
python="${PYTHON:-/usr/bin/python3}"
work="${1:-/tmp/pocket-work}"
mkdir -p "$work"

cc -O3 -march=native -shared -fPIC kernels.c -o libkernels.so -lm

export OMP_NUM_THREADS=1
# glibc gives large blocks back to the system at once and asks for them again at once; not doing so makes training a tenth faster.
export MALLOC_TOP_PAD_=268435456 MALLOC_TRIM_THRESHOLD_=1000000000 MALLOC_MMAP_THRESHOLD_=1000000000

# train STAGE MINUTES FALL BEGIN.pt CORPUS…: two runs at once, on the files A and B of a corpus, that share what they learn.
train() {
  stage="$1" minutes="$2" fall="$3" begin="$4"
  shift 4
  rm -f "$work/mate.A" "$work/mate.B"
  for one in A B; do
    other=$([ $one = A ] && echo B || echo A)
    files=""
    for corpus in "$@"; do files="$files $work/$corpus.$one.npz"; done
    # shellcheck disable=SC2086 # several files, and none has a space in its name
    MATES="$work/mate.$one,$work/mate.$other" MINUTES="$minutes" FALL="$fall" \
      $python train.py "$work/$stage.$one.pt" vocabulary.json $begin $files >"$work/$stage.$one.log" &
  done
  wait
}

seed=1
for one in A B; do
  $python generate.py $seed 5000 "$work/echo.$one.npz" vocabulary.json echo
  $python generate.py $((seed + 10)) 40000 "$work/first.$one.npz" vocabulary.json
  $python generate.py $((seed + 20)) 150000 "$work/second.$one.npz" vocabulary.json
  $python generate.py $((seed + 30)) 150000 "$work/third.$one.npz" vocabulary.json
  $python generate.py $((seed + 70)) 150000 "$work/fourth.$one.npz" vocabulary.json
  $python generate.py $((seed + 80)) 75000 "$work/fifth.$one.npz" vocabulary.json
  $python generate.py $((seed + 90)) 50000 "$work/sixth.$one.npz" vocabulary.json
  $python generate.py $((seed + 100)) 65000 "$work/seventh.$one.npz" vocabulary.json
  $python generate.py $((seed + 120)) 125000 "$work/eighth.$one.npz" vocabulary.json
  seed=$((seed + 1))
done

# Plain copying to begin with, then everything; the learning rate falls in the third and fourth stage.
export LAYERS=6
train first 24 0 "" echo first
train second 28 0 "$work/first.A.pt" second
train third 78 0.6 "$work/second.A.pt" third
train fourth 86 0.6 "$work/third.B.pt" fourth

# Half as many layers more. They say nothing at first, so the high rate does no harm; it falls in the last two stages.
export LAYERS=9
$python grow.py "$work/fourth.A.pt" "$work/grown.pt"
train fifth 44 0 "$work/grown.pt" fifth
train sixth 18 0 "$work/fifth.A.pt" sixth
train seventh 53 0.8 "$work/sixth.A.pt" seventh
train eighth 106 0.6 "$work/seventh.A.pt" eighth

# A fifth of the weights before: what the last stage wore away comes back.
$python mix.py "$work/eighth.A.pt" "$work/seventh.A.pt" 0.2 "$work/mixed.pt"
$python pack.py "$work/mixed.pt" vocabulary.json ../pocket.gguf
cd .. && sha256sum pocket.gguf >pocket.gguf.sha256
