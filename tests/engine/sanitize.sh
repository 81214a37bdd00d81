#!/bin/sh
# The engine's tests that need no torch, with the extension built under AddressSanitizer and
# UndefinedBehaviorSanitizer, in a temporary copy. PYTHON chooses the interpreter (its environment needs numpy, pytest
# and the package's dependencies; pip fetches the setuptools that pyproject.toml asks for); CC the compiler, gcc or clang.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$here/src" "$here/setup.py" "$here/pyproject.toml" "$here/LICENSE" "$here/tests" "$work"
find "$work" -name '*.so' -exec rm {} +
cd "$work"
touch README.md
LENET5_CFLAGS="-O1 -g1 -fno-var-tracking -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer" \
    "$python" -m pip install --quiet --disable-pip-version-check --no-deps --target "$work/site" "$work"
runtime=$("${CC:-gcc}" -print-file-name=libasan.so)
cd tests/engine
LD_PRELOAD=$runtime ASAN_OPTIONS=detect_leaks=0 PYTHONPATH="$work/site" PYTHONMALLOC=malloc \
    "$python" -c "import lenet5.engine as e, sys; sys.exit(0 if e.AVAILABLE else 'the extension was not built')"
LD_PRELOAD=$runtime ASAN_OPTIONS=detect_leaks=0 PYTHONPATH="$work/site" PYTHONMALLOC=malloc \
    LENET5_CALLS="${LENET5_CALLS:-300}" "$python" -m pytest -p no:cacheprovider -q \
    test_engine.py test_distort.py test_pool.py test_update.py test_random_calls.py
