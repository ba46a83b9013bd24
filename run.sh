#!/usr/bin/env bash
# Sets everything up, then shows the product: a session, and WordNet's mammals in the Poincaré ball.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=tools/setup.sh
. tools/setup.sh

echo "This installs Debian packages where they are missing ($build_packages)"
echo "and builds SpiralTorch into .venv beside this file (about two minutes on two cores)."
ensure_packages $build_packages
[ -x .venv/bin/python ] || python3 -m venv .venv
say "Building and installing the Python package into .venv"
.venv/bin/python -m pip install -q --disable-pip-version-check .

say "examples/hello_session.py"
.venv/bin/python examples/hello_session.py

say "Embedding WordNet's mammals (1,182 nodes, 6,542 pairs) in 5 dimensions"
mkdir -p build
.venv/bin/spiraltorch embed data/wordnet_mammals.tsv --dim 5 --seed 0 \
  --out build/mammals.safetensors --eval

say "Nearest neighbours of dog.n.01"
.venv/bin/spiraltorch nearest build/mammals.safetensors dog.n.01 -k 10

say "The disk, to open in a browser"
.venv/bin/spiraltorch view build/mammals.safetensors --edges data/wordnet_mammals.tsv \
  --title "WordNet's mammals" --out build/mammals.html
