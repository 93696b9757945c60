#!/bin/sh
# Run a quick part of the suite on the oldest and the newest supported Python found here,
# beside the one that .venv has: pythons.sh FOLDER, in which environments are made.
#
# From locks/cpu.txt, with the test tools' entries of locks/dev.txt: no other extra.
set -eu
work=$1
has=$(.venv/bin/python -c 'import sys; print(sys.version_info.minor)')

# A name on the PATH, or a Python of pyenv's that is not the one in use.
find() {
    for name in "python3.$1" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3."$1".*/bin/python; do
        if sh tools/find_python.sh "$name" 2>/dev/null; then return; fi
    done
    return 1
}

oldest='' newest=''
for minor in 11 12 13; do
    if find $minor >/dev/null; then
        oldest=${oldest:-$minor}
        newest=$minor
    fi
done

tools='pytest|pytest-timeout|pluggy|iniconfig|pygments|hypothesis|sortedcontainers|attrs'
run() {
    env=$work/python3.$1
    "$(find "$1")" -m venv "$env"
    awk -v wanted="^($tools)==" '/^[^ #]/ { keep = $0 ~ wanted } keep' locks/dev.txt \
        >"$work/tools.txt"
    pip="$env/bin/python -m pip --disable-pip-version-check --no-input -qq"
    install="$pip install --no-compile"
    $install --require-hashes --only-binary :all: -r locks/cpu.txt
    $install --require-hashes --only-binary :all: --no-deps -r "$work/tools.txt"
    $install --no-index --no-deps --no-build-isolation .
    "$env/bin/python" --version
    "$env/bin/python" -m pytest -q -p no:cacheprovider -m 'not slow and not browser' \
        tests/data tests/imbalance tests/test_settings.py tests/test_experiment.py \
        tests/test_files.py tests/test_record.py
    "$env/bin/tessera" study --data digits --set data.image_size=8 --epochs 1 --seeds 1 \
        --jobs 1 --set 'models=[{kind="cnn"}]' --out "$work/study3.$1" >/dev/null
    test -s "$work/study3.$1/report.html"
    echo "pythons: Python 3.$1 passes the quick tests, and a small study"
}

for minor in $(printf '%s\n' "$oldest" "$newest" | sort -u); do
    if [ "$minor" = "$has" ]; then
        echo "pythons: Python 3.$minor is the one of .venv"
    else
        run "$minor"
    fi
done
