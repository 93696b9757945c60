#!/bin/sh
# Try Tessera on the oldest and the newest supported Python found here, beside the one
# that .venv has: pythons.sh FOLDER, in which environments are made.
set -eu
work=$1
has=$(.venv/bin/python -c 'import sys; print(sys.version_info[:2])')

for python in $(sh tools/supported.sh | sed -n '1p;$p' | uniq); do
    version=$("$python" -c 'import sys; print(sys.version_info[:2])')
    if [ "$version" = "$has" ]; then
        echo "pythons: Python $version is the one of .venv"
        continue
    fi
    env=$work/python
    rm -rf "$env"
    "$python" -m venv "$env"
    pip="$env/bin/python -m pip --disable-pip-version-check --no-input -qq"
    $pip install --no-compile --require-hashes --only-binary :all: -r locks/cpu.txt
    $pip install --no-index --no-deps --no-build-isolation .
    sh tools/quick.sh "$env"
    echo "pythons: Python $version passes the quick tests, and a small study"
done
