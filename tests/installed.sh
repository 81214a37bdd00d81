#!/bin/sh
# Tests against the installed wheel, without the sources: the wheel is built by CC from a copy of the tree, installed into
# a folder of its own, and the copy's src is removed. PYTHON chooses the interpreter, whose environment has the package's
# dependencies and pytest; arguments are pytest's.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work" # tests give up their rights, and still read it
tar -C "$here" --exclude=./.venv --exclude=./build --exclude=./.git --exclude='*.so' -cf - . | tar -C "$work" -xf -
cd "$work"
"$python" -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
echo "$(cd dist && ls)"
"$python" -m pip install --quiet --disable-pip-version-check --no-deps --target site dist/*.whl
rm -rf src build
export PYTHONPATH="$work/site"
"$python" -c "
import sys, lenet5.engine as e
sys.exit(0 if e.AVAILABLE and e.__file__.startswith(sys.argv[1]) else 'the extension was not built')" "$work/site"
"$python" -m pytest -p no:cacheprovider "$@"
