{{- define "hestia.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "hestia.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains (include "hestia.name" .) .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "hestia.name" .) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "hestia.selectorLabels" -}}
app.kubernetes.io/name: {{ include "hestia.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "hestia.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{ include "hestia.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{- define "hestia.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The Secret whose variables the hub reads; empty if there is none. */}}
{{- define "hestia.secretName" -}}
{{- if .Values.existingSecret -}}
{{ .Values.existingSecret }}
{{- else if .Values.secret -}}
{{ include "hestia.fullname" . }}
{{- end -}}
{{- end -}}

{{/* hestia.config.json: the values, and the names under which the cluster reaches the hub. */}}
{{- define "hestia.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- $policy := $config.policy | default dict -}}
{{- $service := include "hestia.fullname" . -}}
{{- $namespaced := printf "%s.%s" $service .Release.Namespace -}}
{{- $hosts := list $service $namespaced (printf "%s.svc" $namespaced) (printf "%s.svc.cluster.local" $namespaced) -}}
{{- $origins := list -}}
{{- if .Values.ingress.enabled -}}
{{- $hosts = append $hosts .Values.ingress.host -}}
{{- $origins = append $origins .Values.ingress.host -}}
{{- end -}}
{{- $_ := set $policy "allowedHosts" (concat ($policy.allowedHosts | default list) $hosts | uniq) -}}
{{- if $origins -}}
{{- $_ := set $policy "allowedOrigins" (concat ($policy.allowedOrigins | default list) $origins | uniq) -}}
{{- end -}}
{{- $_ := set $config "policy" $policy -}}
{{- toPrettyJson $config -}}
{{- end -}}

{{/* What no container here may do. */}}
{{- define "hestia.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* Four fifths of the memory limit, so that Go collects garbage before the memory limiter of the collector refuses. */}}
{{- define "hestia.goMemoryLimit" -}}
{{- $limit := toString (dig "limits" "memory" "" .) -}}
{{- if regexMatch "^[0-9]+[MG]i$" $limit -}}
{{- $mebibytes := regexFind "^[0-9]+" $limit | int64 | mul (ternary 1024 1 (hasSuffix "Gi" $limit)) -}}
{{ div (mul $mebibytes 4) 5 }}MiB
{{- end -}}
{{- end -}}

{{/* What a schema cannot say: values that exclude or require each other. */}}
{{- define "hestia.checkedValues" -}}
{{- $sidecar := .Values.collector.sidecar -}}
{{- if and $sidecar.enabled .Values.collector.url -}}
{{- fail "collector.url: must be empty with collector.sidecar.enabled, which receives the signals itself" -}}
{{- end -}}
{{- if and $sidecar.enabled (not (and $sidecar.tempoUrl $sidecar.lokiUrl)) -}}
{{- fail "collector.sidecar: tempoUrl and lokiUrl must be set, as in http://tempo.monitoring:4318 and http://loki.monitoring:3100/otlp" -}}
{{- end -}}
{{- if and .Values.serviceMonitor.enabled (not $sidecar.enabled) -}}
{{- fail "serviceMonitor.enabled: needs collector.sidecar.enabled; with collector.url, Prometheus scrapes that collector" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) -}}
{{- fail "ingress.host: must be set with ingress.enabled: the hub answers only to names that it knows" -}}
{{- end -}}
{{- if and .Values.existingSecret .Values.secret -}}
{{- fail "secret: must be empty with existingSecret" -}}
{{- end -}}
{{- end -}}
