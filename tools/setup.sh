# Shared by run.sh and test.sh: installs what is missing, and says so first. Source it, do not run it.

# Builds and runs: compiler, CMake presets, Python with headers, headers of Highway, KISS FFT and JSON.
build_packages="g++ cmake ninja-build python3 python3-venv python3-dev libhwy-dev libkissfft-dev nlohmann-json3-dev"
# Tests and lint on top: doctest, WordNet's database, a software Vulkan adapter, formatters, and the
# browser that the view is tested in (135 MB to fetch, the largest part).
test_packages="doctest-dev wordnet-base mesa-vulkan-drivers libvulkan1 clang-format codespell git
  chromium chromium-driver"

say() { printf '\n== %s\n' "$*"; }

# ensure_packages NAME...: installs the Debian packages that are missing.
ensure_packages() {
  missing=""
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
      missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  say "Installing Debian packages:$missing"
  line="apt-get update && apt-get install -y --no-install-recommends$missing"
  if [ "$(id -u)" = 0 ]; then
    sh -c "export DEBIAN_FRONTEND=noninteractive; $line"
  elif command -v sudo >/dev/null; then
    sudo sh -c "export DEBIAN_FRONTEND=noninteractive; $line"
  else
    echo "These packages are missing and this user is neither root nor has sudo."
    echo "Ask an administrator to run:"
    echo "  $line"
    return 1
  fi
}

# ensure_venv DIR REQUIREMENT...: a virtual environment holding the Python packages named.
ensure_venv() {
  venv=$1
  shift
  [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
  "$venv/bin/python" - "$@" 2>/dev/null <<'PYTHON' || {
import importlib.metadata, sys
for requirement in sys.argv[1:]:
    name, _, version = requirement.partition("==")
    if importlib.metadata.version(name) != version:
        sys.exit(1)
PYTHON
    say "Installing into $venv from PyPI: $*"
    "$venv/bin/python" -m pip install -q --disable-pip-version-check "$@"
  }
}
