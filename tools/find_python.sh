#!/bin/sh
# Prints the newest Python that the locked packages have wheels for: 3.11, 3.12 or 3.13.
# A name on the PATH may not run (pyenv leaves such stubs), so each one is tried.
# With an argument, only that Python is considered.
set -u

# Old enough for Python 2 to read, which may be what `python` is.
probe='
import platform, sys
version = sys.version_info[:2]
if not (3, 11) <= version <= (3, 13):
    sys.exit("Python %d.%d, which the locked packages do not support" % version)
if platform.system() == "Darwin" and platform.machine() == "x86_64":
    sys.exit("an Intel build, for which there is no recent TensorFlow on macOS")
try:
    import ensurepip, venv
except ImportError:
    sys.exit("without venv (Debian, Ubuntu: apt install python%d.%d-venv)" % version)
print(sys.executable)
'

newline='
'
found=
for name in ${1:-python3.13 python3.12 python3.11 python3 python}; do
    command -v "$name" >/dev/null 2>&1 || continue
    if answer=$("$name" -c "$probe" 2>&1); then
        echo "$answer"
        exit 0
    fi
    found="$found$newline  $name: ${answer%%"$newline"*}"
done

echo >&2 "setup: expected Python 3.11, 3.12 or 3.13 with its venv module.
Found:${found:-" no Python at all"}
Install one (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install
python@3.13; or python.org), or name one: make demo PYTHON=/path/to/python3.12"
exit 1
