#!/usr/bin/env bash
# Installs the Chroma server of the tests from package.json, unless this manifest is already installed, and prints
# its path. It is stored outside the repository, because users of the hub do not need its 100 MB. Linux on x64 only.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

digest=$(sha256sum package.json | cut -c 1-16)
folder=${XDG_CACHE_HOME:-$HOME/.cache}/hestia/chroma
installed=$folder/$digest

if [ ! -d "$installed" ]; then
  mkdir -p "$folder"
  work=$(mktemp -d "$folder/install-XXXXXX")
  trap 'rm -rf "$work"' EXIT
  cp package.json "$work"
  npm install --prefix "$work" --no-audit --no-fund --no-package-lock --loglevel=error --no-progress >&2
  # Renamed last, so that an incomplete installation is never used. Of two concurrent installations, either is valid.
  mv -T "$work" "$installed" 2>/dev/null || [ -d "$installed" ]
fi
echo "$installed/node_modules/.bin/chroma"
