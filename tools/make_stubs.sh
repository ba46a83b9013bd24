#!/bin/sh
# Regenerates the stub of the installed extension module: tools/make_stubs.sh [PYTHON]
set -eu
cd "$(dirname "$0")/.."
exec "${1:-python3}" -m nanobind.stubgen -m spiraltorch._core -o python/spiraltorch/_core.pyi
