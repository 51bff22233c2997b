#!/usr/bin/env bash
# Builds Helm and kubeconform for the tests of the chart, with the schemas of Kubernetes and of the Prometheus operator, unless
# this script has already done so, and prints the folder. It is kept outside the repository;
# test/support/programs/kubernetes-tools.ts looks for it in the same place. Needs Go.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

helm=helm.sh/helm/v4/cmd/helm@v4.3.1
kubeconform=github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0
kubernetes=k8s.io/kubernetes@v1.37.2
operator=github.com/prometheus-operator/prometheus-operator@v0.92.1

digest=$(sha256sum install.sh | cut -c 1-16)
folder=${XDG_CACHE_HOME:-$HOME/.cache}/hestia/kubernetes/$digest

if [ ! -d "$folder" ]; then
  command -v go >/dev/null || { echo 'building Helm for the tests needs Go (1.26 or later)' >&2; exit 1; }
  mkdir -p "$(dirname "$folder")"
  work=$(mktemp -d "$(dirname "$folder")/build-XXXXXX")
  trap 'rm -rf "$work"' EXIT
  # Without debug information, which doubles the size.
  GOBIN=$work go install -trimpath -ldflags='-s -w' "$helm"
  GOBIN=$work go install -trimpath -ldflags='-s -w' "$kubeconform"
  # The modules alone, without what they need.
  module() { go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p'; }
  openapi=$(module "$kubernetes")/api/openapi-spec/swagger.json
  resources=$(module "$operator")/example/prometheus-operator-crd
  install -m 644 "$openapi" "$resources"/monitoring.coreos.com_{servicemonitors,prometheusrules}.yaml "$work"
  # Renamed last, so that an incomplete folder is never used.
  mv "$work" "$folder"
  trap - EXIT
fi
echo "$folder"
