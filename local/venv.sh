#!/bin/sh
# Makes .venv from requirements.txt. The stamp is written last, so an interrupted run is done again from the start.
set -eu
cd "$(dirname "$0")/.."
stamp=.venv/installed

runs() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12)))' >/dev/null 2>&1; }

if [ ! -e "$stamp" ] || ! runs .venv/bin/python; then
    rm -rf .venv
    python=
    for candidate in python3.12 python3.11 python3; do
        runs "$candidate" || continue # a shim may exist without its version
        python=$candidate
        if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then break; else python="$candidate without venv"; fi
    done
    case $python in
        "") echo "No Python 3.11 or 3.12 here: install one (Debian, Ubuntu: apt install python3 python3-venv)." >&2; exit 1 ;;
        *" without venv")
            echo "${python% without venv} lacks its venv module: install it (Debian, Ubuntu: apt install python3-venv)." >&2
            exit 1 ;;
    esac
    echo "Making .venv with $($python --version); the first time takes a minute or two …"
    "$python" -m venv .venv
fi
rm -f "$stamp"
.venv/bin/python -m pip install -qq --disable-pip-version-check --requirement requirements.txt
touch "$stamp"
