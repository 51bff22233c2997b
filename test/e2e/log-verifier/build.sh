#!/usr/bin/env bash
# Builds the verifier of the audit log from main.go, unless this version has already been built, and prints its path. It is
# kept outside the repository; test/support/programs/log-verifier.ts looks for it in the same place. Needs Go.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

digest=$(cat go.mod go.sum main.go | sha256sum | cut -c 1-16)
folder=${XDG_CACHE_HOME:-$HOME/.cache}/hestia/log-verifier
program=$folder/log-verifier-$digest

if [ ! -x "$program" ]; then
  command -v go >/dev/null || { echo 'building the verifier of the audit log needs Go (1.25 or later)' >&2; exit 1; }
  mkdir -p "$folder"
  # Renamed last, so that an incomplete file is never used.
  draft=$(mktemp "$folder/build-XXXXXX")
  go build -trimpath -o "$draft" .
  chmod +x "$draft"
  mv "$draft" "$program"
fi
echo "$program"
