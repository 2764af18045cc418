#!/usr/bin/env bash
# What a reviewer need not look for: format, lint, types, layout. Stops at the first that fails.
set -euo pipefail
cd "$(dirname "$0")/.."

.venv/bin/ruff format --check .
.venv/bin/ruff check .
PYRIGHT_PYTHON_IGNORE_WARNINGS=1 .venv/bin/pyright
.venv/bin/python -m pytest -q tests/layout
