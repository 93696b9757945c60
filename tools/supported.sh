#!/bin/sh
# Prints the supported Pythons found here, the oldest first: on the PATH, or pyenv's.
set -u
for minor in 11 12 13; do
    for name in "python3.$minor" \
        "${PYENV_ROOT:-$HOME/.pyenv}/versions/3.$minor".*/bin/python; do
        if sh tools/find_python.sh "$name" 2>/dev/null; then break; fi
    done
done
