#!/usr/bin/env bash
# Installs the Python SDK of MCP and servers from PyPI in a virtual environment, unless these versions are already installed,
# and prints the path of its Python. It is kept outside the repository; test/support/programs/python-sdk.ts looks for it in
# the same place. Needs Python 3.10 or later with venv.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

digest=$(sha256sum requirements.txt | cut -c 1-16)
folder=${XDG_CACHE_HOME:-$HOME/.cache}/hestia/python-sdk/$digest

# The mark is written last, so that an incomplete installation is never used. An environment cannot be moved.
if [ ! -e "$folder/installed" ]; then
  mkdir -p "$folder"
  exec 9>"$folder/lock"
  flock 9
  python3 -m venv --clear "$folder/venv"
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check --requirement requirements.txt >&2
  touch "$folder/installed"
fi
echo "$folder/venv/bin/python"
