#!/bin/sh
# Run a quick part of the suite, and a small study, in an environment that has Tessera
# installed from locks/cpu.txt: quick.sh ENVIRONMENT
#
# Of the other extras and tools it gets what these tests need, from locks/dev.txt.
set -eu
env=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

tools='pytest|pytest-timeout|pluggy|iniconfig|pygments|hypothesis|sortedcontainers|attrs'
awk -v wanted="^($tools)==" '/^[^ #]/ { keep = $0 ~ wanted } keep' locks/dev.txt \
    >"$work/tools.txt"
"$env/bin/python" -m pip --disable-pip-version-check --no-input -qq install \
    --no-compile --require-hashes --only-binary :all: --no-deps -r "$work/tools.txt"
"$env/bin/python" --version
"$env/bin/python" -m pytest -q -p no:cacheprovider -m 'not slow and not browser' \
    tests/data tests/imbalance tests/test_settings.py tests/test_experiment.py \
    tests/test_files.py tests/test_record.py
"$env/bin/tessera" study --data digits --set data.image_size=8 --epochs 1 --seeds 1 \
    --jobs 1 --set 'models=[{kind="cnn"}]' --out "$work/study" >/dev/null
test -s "$work/study/report.html"
