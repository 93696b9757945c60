#!/bin/sh
# Ask for known advisories on what a lock installs: audit.sh PYTHON LOCK
#
# Found advisories fail. Being offline, or without pip-audit, does not: a machine that
# cannot ask is no evidence, and says so. The tool is no dependency of Tessera's.
set -u
python=$1
lock=$2
if ! "$python" -m pip_audit --version >/dev/null 2>&1; then
    echo "audit: not done: pip-audit is not installed here (pip install pip-audit)"
    exit 0
fi
said=$("$python" -m pip_audit --requirement "$lock" --no-deps --disable-pip \
    --progress-spinner off 2>&1)
status=$?
echo "$said"
# The tool calls it a success when it knew none of the names: that is no answer.
unknown=$(printf '%s\n' "$said" | grep -c 'could not be audited')
[ "$unknown" -gt 0 ] && echo "audit: not done for $unknown dependencies"
[ $status -eq 0 ] && exit 0
case $said in
*"known vulnerabilit"*) exit 1 ;;
*) echo "audit: not done: the advisories could not be asked for" ;;
esac
