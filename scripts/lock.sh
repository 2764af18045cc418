#!/usr/bin/env bash
# Writes constraints.txt anew: every dependency of the extras and of requirements/dev.in, with hashes, no addresses.
# Keeps what is pinned where it still fits; `make lock ARGS=--upgrade` moves everything forward.
set -euo pipefail
cd "$(dirname "$0")/.."

export CUSTOM_COMPILE_COMMAND="make lock"
.venv/bin/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --all-extras \
    --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
    --output-file constraints.txt "$@" pyproject.toml requirements/dev.in
