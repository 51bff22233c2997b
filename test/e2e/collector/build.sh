#!/usr/bin/env bash
# Builds the collector of the tests from manifest.yaml, unless this manifest has already been built, and prints its
# path. It is kept outside the repository; test/support/programs/collector.ts looks for it in the same place. Needs Go.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

builder=go.opentelemetry.io/collector/cmd/builder@v0.155.0
digest=$(sha256sum manifest.yaml | cut -c 1-16)
folder=${XDG_CACHE_HOME:-$HOME/.cache}/hestia/collector
program=$folder/otelcol-$digest

if [ ! -x "$program" ]; then
  command -v go >/dev/null || { echo 'building the collector of the tests needs Go (1.25 or later)' >&2; exit 1; }
  mkdir -p "$folder"
  work=$(mktemp -d "$folder/build-XXXXXX")
  trap 'rm -rf "$work"' EXIT
  # Without debug information, which doubles the size.
  if ! env "dist.output_path=$work" go run "$builder" --config manifest.yaml --ldflags='-s -w' >"$work/log" 2>&1; then
    cat "$work/log" >&2
    exit 1
  fi
  # Renamed last, so that an incomplete file is never used. Of two concurrent builds, either result is valid.
  mv "$work/otelcol" "$program"
fi
echo "$program"
