#!/bin/sh
# Try Tessera on the oldest and the newest supported Python found here, beside the one
# that .venv has: pythons.sh FOLDER, in which environments are made.
set -eu
work=$1
version='import sys; print("%d.%d" % sys.version_info[:2])'
has=$(.venv/bin/python -c "$version")

found=$(sh tools/supported.sh | sed -n '1p;$p' | uniq)
if [ -z "$found" ]; then
    echo >&2 "pythons: expected Python 3.11, 3.12 or 3.13 on the PATH or of pyenv. Found: none."
    exit 1
fi
for python in $found; do
    number=$("$python" -c "$version")
    if [ "$number" = "$has" ]; then
        echo "pythons: Python $number is the one of .venv"
        continue
    fi
    env=$work/python
    rm -rf "$env"
    "$python" -m venv "$env"
    pip="$env/bin/python -m pip --disable-pip-version-check --no-input -qq"
    $pip install --no-compile --require-hashes --only-binary :all: -r locks/cpu.txt
    $pip install --no-index --no-deps --no-build-isolation .
    sh tools/quick.sh "$env"
    echo "pythons: Python $number passes the quick tests, and a small study"
done
