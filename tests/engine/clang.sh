#!/bin/sh
# The engine's tests with the extension built by clang, in a temporary copy. PYTHON chooses the interpreter, whose
# environment has the package's dependencies and pytest; arguments are pytest's, by default the tests of this folder.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
python=${PYTHON:-python3}
command -v clang >/dev/null || { echo "clang is not installed: its build is left out" >&2; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$here/src" "$here/setup.py" "$here/pyproject.toml" "$here/LICENSE" "$here/tests" "$work"
find "$work" -name '*.so' -exec rm {} +
cd "$work"
touch README.md
CC=clang "$python" -m pip install --quiet --disable-pip-version-check --no-deps --target "$work/site" "$work"
PYTHONPATH="$work/site" "$python" -c "
import sys, lenet5.engine as e
sys.exit(0 if e.AVAILABLE and e.__file__.startswith(sys.argv[1]) else 'the extension was not built')" "$work/site"
[ $# -gt 0 ] || set -- tests/engine
PYTHONPATH="$work/site" "$python" -m pytest -p no:cacheprovider "$@"
