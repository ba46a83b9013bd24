#!/usr/bin/env bash
# Everything CI runs: lint, build with warnings as errors, C++ tests, a stranger's project, the
# sanitizers, the wheel, the Python tests and the README's own programs. About half an hour cold on
# two cores.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=tools/setup.sh
. tools/setup.sh

test_requirements="numpy==2.4.6 pyarrow==26.0.1 pytest==9.2.0 nanobind==3.1.0 ruff==0.17.6 safetensors==0.8.0 scikit-learn==1.9.1 wgpu==0.32.0"

echo "This installs Debian packages where they are missing"
echo "  ($build_packages $test_packages)"
echo "and Python packages from PyPI into build/venv ($test_requirements)."
ensure_packages $build_packages $test_packages
mkdir -p build
ensure_venv build/venv $test_requirements

# Vulkan's software adapter wants a folder of its own, and WebGPU's library comes with PyPI's wgpu.
mkdir -p build/xdg && chmod 700 build/xdg
export XDG_RUNTIME_DIR="$PWD/build/xdg"
wgpu_library=$(echo "$PWD"/build/venv/lib/python3*/site-packages/wgpu/resources/libwgpu_native-release.so)

say "Tree, format, lint, spelling"
python3 tools/check_tree.py
git ls-files '*.cpp' '*.hpp' | xargs clang-format --dry-run -Werror
build/venv/bin/ruff check .
build/venv/bin/ruff format --check .
codespell

say "Build with warnings as errors, and each public header alone"
cmake --preset dev -DSPIRALTORCH_TEST_WGPU_LIBRARY="$wgpu_library" -DSPIRALTORCH_TEST_RACES=ON
cmake --build --preset dev
cmake --build --preset dev --target all_verify_interface_header_sets

say "C++ unit tests under the address and undefined-behaviour sanitizers"
cmake --preset asan
cmake --build --preset asan
ctest --preset asan --no-tests=error -j 2

say "Wheel, in a clean virtual environment"
rm -rf build/dist build/wheel-venv
build/venv/bin/python -m pip wheel -q --disable-pip-version-check --no-deps -w build/dist .
build/venv/bin/python -m pip install -q --disable-pip-version-check --force-reinstall --no-deps \
  build/dist/*.whl
ls -l build/dist

say "C++ tests"
ctest --preset dev --no-tests=error -j 2

say "Python tests, stubs, README programs"
build/venv/bin/python -m pytest -q tests/python
