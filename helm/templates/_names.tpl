{{- define "governor.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- /* Short enough that every ending of ours still fits into 63 characters, and a CronJob's into 52. */ -}}
{{- define "governor.fullname" -}}
{{- $name := include "governor.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* (dict "root" . "component" "api"): what selects the pods of a component; it never changes. */ -}}
{{- define "governor.selector" -}}
app.kubernetes.io/name: {{ include "governor.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "governor.labels" -}}
{{ include "governor.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: ad-spend-governor
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "governor.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "governor.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "governor.claim" -}}
{{- default (printf "%s-data" (include "governor.fullname" .)) .Values.persistence.existingClaim -}}
{{- end -}}

{{- /* (dict "image" .Values.image "tag" .Chart.AppVersion) */ -}}
{{- define "governor.image" -}}
{{- if .image.digest -}}
{{- printf "%s@%s" .image.repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" .image.repository (default .tag .image.tag) -}}
{{- end -}}
{{- end -}}

{{- /* What the values amount to; empty means no. */ -}}
{{- define "governor.onSqlite" -}}{{- if eq .Values.database.kind "sqlite" -}}yes{{- end -}}{{- end -}}
{{- define "governor.queued" -}}{{- if .Values.redis.existingSecret -}}yes{{- end -}}{{- end -}}
{{- define "governor.working" -}}{{- if or .Values.workers.autoscaling.enabled (gt (int .Values.workers.replicas) 0) -}}yes{{- end -}}{{- end -}}
{{- define "governor.severalApis" -}}{{- if or .Values.api.autoscaling.enabled (gt (int .Values.api.replicas) 1) -}}yes{{- end -}}{{- end -}}
{{- define "governor.severalWorkers" -}}{{- if or .Values.workers.autoscaling.enabled (gt (int .Values.workers.replicas) 1) -}}yes{{- end -}}{{- end -}}
{{- define "governor.hasRules" -}}
{{- with .Values.rules }}{{ if or .files .packs .existingConfigMap .existingPacks.configMap .gitSync.enabled }}yes{{ end }}{{ end -}}
{{- end -}}
