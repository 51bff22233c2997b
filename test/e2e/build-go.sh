#!/usr/bin/env bash
# Builds a Go program of the tests, the folder beside this file that the argument names, unless this version has already been
# built, and prints its path. It is kept outside the repository; test/support/programs/go-program.ts looks for it in the same
# place. Needs Go.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/$1"

digest=$(cat go.mod go.sum main.go | sha256sum | cut -c 1-16)
folder=${XDG_CACHE_HOME:-$HOME/.cache}/hestia/$1
program=$folder/$1-$digest

if [ ! -x "$program" ]; then
  command -v go >/dev/null || { echo "building $1 for the tests needs Go (1.25 or later)" >&2; exit 1; }
  mkdir -p "$folder"
  # Renamed last, so that an incomplete file is never used.
  draft=$(mktemp "$folder/build-XXXXXX")
  go build -trimpath -o "$draft" .
  chmod +x "$draft"
  mv "$draft" "$program"
fi
echo "$program"
