#!/usr/bin/env bash
# Builds .venv from the lock file and installs this repository's own packages into it, editable.
# Nothing that is not in constraints.txt is downloaded: our own packages are built with what it pins.
set -euo pipefail
cd "$(dirname "$0")/.."

find_python() {
    local candidate
    for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "setup: no Python 3.11 or newer found; install one, or name it: make setup PYTHON=/path/to/python" >&2
    return 1
}

if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$(find_python)
    "$python" -m venv --clear .venv
fi

pip() { .venv/bin/python -m pip --disable-pip-version-check --no-input --quiet --quiet "$@"; }

echo "setup: installing what constraints.txt pins (about a minute the first time)"
pip install --require-hashes --only-binary :all: -r constraints.txt

packages=(-e .)
for project in channels/*/pyproject.toml; do
    if [ -e "$project" ]; then packages+=(-e "./$(dirname "$project")"); fi
done
pip install --no-deps --no-build-isolation "${packages[@]}"
pip check
echo "setup: ready"
