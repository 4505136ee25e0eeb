{{- /*
What cannot work is refused before anything is rendered, all of it at once, each with what to write instead. No value that may
be a secret is repeated.
*/ -}}
{{- define "governor.refuse" -}}
{{- $found := concat (include "governor.refused.shape" . | fromJsonArray) (include "governor.refused.rules" . | fromJsonArray) (include "governor.refused.secrets" . | fromJsonArray) (include "governor.refused.network" . | fromJsonArray) -}}
{{- if $found -}}
{{- fail (printf "\n\nThese values cannot work:\n- %s\n" (join "\n- " $found)) -}}
{{- end -}}
{{- end -}}

{{- define "governor.refused.shape" -}}
{{- $found := list -}}
{{- $queued := include "governor.queued" . -}}
{{- $working := include "governor.working" . -}}
{{- $toPostgres := "set database.kind=postgresql and database.existingSecret" -}}
{{- if include "governor.onSqlite" . -}}
  {{- if gt (int .Values.api.replicas) 1 -}}
    {{- $found = append $found (printf "api.replicas is %d on SQLite, whose file is one process's: %s, or api.replicas=1" (int .Values.api.replicas) $toPostgres) -}}
  {{- end -}}
  {{- if .Values.api.autoscaling.enabled -}}
    {{- $found = append $found (printf "api.autoscaling is enabled on SQLite, whose file is one process's: %s, or api.autoscaling.enabled=false" $toPostgres) -}}
  {{- end -}}
  {{- if or $working $queued -}}
    {{- $found = append $found (printf "workers cannot share a SQLite file with the API: %s, or unset redis.existingSecret and workers" $toPostgres) -}}
  {{- end -}}
  {{- if .Values.cronJob.enabled -}}
    {{- $found = append $found (printf "a CronJob cannot share a SQLite file with the API: %s, or cronJob.enabled=false; the server makes its passes by itself" $toPostgres) -}}
  {{- end -}}
  {{- if .Values.database.existingSecret -}}
    {{- $found = append $found "database.existingSecret is set, and database.kind is sqlite: set database.kind=postgresql, or unset the other" -}}
  {{- end -}}
{{- else -}}
  {{- if not .Values.database.existingSecret -}}
    {{- $found = append $found "database.kind is postgresql, and nothing says where it is: set database.existingSecret to a Secret with the address under the key DATABASE_URL" -}}
  {{- end -}}
  {{- if and (include "governor.severalApis" .) (not $queued) (not .Values.cronJob.enabled) -}}
    {{- $found = append $found "there is more than one API, and each would make the hourly pass: set redis.existingSecret and workers.replicas, or cronJob.enabled=true" -}}
  {{- end -}}
{{- end -}}
{{- if and $working (not $queued) -}}
  {{- $found = append $found "workers take their work from Redis: set redis.existingSecret, or workers.replicas=0" -}}
{{- end -}}
{{- if and $queued (not $working) -}}
  {{- $found = append $found "with Redis the API evaluates nothing, and there are no workers: set workers.replicas, or unset redis.existingSecret" -}}
{{- end -}}
{{- if and .Values.cronJob.enabled (or $queued $working) -}}
  {{- $found = append $found "workers and the CronJob would both evaluate: unset redis.existingSecret and workers, or set cronJob.enabled=false" -}}
{{- end -}}
{{- range $name := list "api" "workers" -}}
  {{- $scaling := (index $.Values $name).autoscaling -}}
  {{- if and $scaling.enabled (gt (int $scaling.minReplicas) (int $scaling.maxReplicas)) -}}
    {{- $found = append $found (printf "%s.autoscaling.minReplicas is above maxReplicas: set it to %d at most" $name (int $scaling.maxReplicas)) -}}
  {{- end -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}

{{- define "governor.refused.rules" -}}
{{- $found := list -}}
{{- with .Values.rules -}}
  {{- $own := or .files .packs -}}
  {{- $existing := or .existingConfigMap .existingPacks.configMap -}}
  {{- if and .gitSync.enabled (or $own $existing) -}}
    {{- $found = append $found "rule files come from git or from a ConfigMap, not both: unset rules.files, rules.packs and the existing ConfigMaps, or set rules.gitSync.enabled=false" -}}
  {{- end -}}
  {{- if and $own $existing -}}
    {{- $found = append $found "rule files are given in the values and in existing ConfigMaps: keep one of the two" -}}
  {{- end -}}
  {{- range $of := list "files" "packs" -}}
    {{- $bytes := 0 -}}
    {{- range index $.Values.rules $of -}}{{- $bytes = add $bytes (len .) -}}{{- end -}}
    {{- if gt (int $bytes) 1000000 -}}
      {{- $found = append $found (printf "rules.%s are %d bytes, and a ConfigMap holds 1 MiB at most: put them into a git repository, and set rules.gitSync" $of (int $bytes)) -}}
    {{- end -}}
  {{- end -}}
  {{- if ne (empty .existingPacks.configMap) (empty .existingPacks.keys) -}}
    {{- $found = append $found "rules.existingPacks needs both configMap and keys, such as keys=[public-holidays.yaml]" -}}
  {{- end -}}
  {{- if .gitSync.enabled -}}
    {{- if not .gitSync.repo -}}
      {{- $found = append $found "rules.gitSync.enabled is true: set rules.gitSync.repo" -}}
    {{- end -}}
    {{- if regexMatch "^https?://[^/]*@" .gitSync.repo -}}
      {{- $found = append $found "rules.gitSync.repo names a user or a password: put username and password into a Secret, and its name into rules.gitSync.existingSecret" -}}
    {{- end -}}
    {{- if and (include "governor.overSsh" .gitSync.repo) (not .gitSync.existingSecret) -}}
      {{- $found = append $found "rules.gitSync.repo is reached over ssh: set rules.gitSync.existingSecret to a Secret with the keys ssh and known_hosts" -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if and (include "governor.hasRules" .) (not .Values.secrets.existingSecret) -}}
  {{- $keys := list -}}
  {{- range .Values.extraEnv -}}
    {{- if regexMatch "^GOVERNOR_CLINICS__.*__CLINIKO_API_KEY$" (upper .name) -}}{{- $keys = append $keys .name -}}{{- end -}}
  {{- end -}}
  {{- if not $keys -}}
    {{- $found = append $found "there are rules, and nothing says where the clinics' keys are: set secrets.existingSecret to a Secret with keys such as CLINICS__HARBOUR_PHYSIO__CLINIKO_API_KEY" -}}
  {{- end -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}

{{- define "governor.overSsh" -}}{{- if or (hasPrefix "ssh://" .) (regexMatch "^[^/:]+@[^/:]+:" .) -}}yes{{- end -}}{{- end -}}

{{- /* A setting, without GOVERNOR_, whose value is a secret or may hold one. */ -}}
{{- define "governor.isSecret" -}}
{{- if regexMatch "(^|__)(ACCESS_TOKEN|APP_SECRET|CLIENT_SECRET|REFRESH_TOKEN|CLINIKO_API_KEY|META|GOOGLE_ADS|HEADERS)$|^(HEARTBEAT_URL|AUDIT_SIGNING_KEY|CLINICS|NOTIFY|OTEL|DATABASE_URL|REDIS_URL)$|^NOTIFY__|^OTEL__HEADERS__" . -}}
yes
{{- else if and (hasPrefix "CLINICS__" .) (not (regexMatch "__(CLINIKO_USER|CLIENT_ID|JSON_KEY_FILE_PATH|ENDPOINT|BASE_URL)$" .)) -}}
yes
{{- end -}}
{{- end -}}

{{- define "governor.refused.secrets" -}}
{{- $found := list -}}
{{- $ours := dict "DATABASE_URL" "database.kind and database.existingSecret" "REDIS_URL" "redis.existingSecret" "RULES_DIR" "rules" "SECRETS_DIR" "secrets.existingSecret" "KILL_SWITCH" "killSwitch" -}}
{{- range $name, $_ := .Values.settings -}}
  {{- if hasPrefix "GOVERNOR_" $name -}}
    {{- $found = append $found (printf "settings.%s: write it without GOVERNOR_" $name) -}}
  {{- else if hasKey $ours $name -}}
    {{- $found = append $found (printf "settings.%s: set %s instead" $name (get $ours $name)) -}}
  {{- else if include "governor.isSecret" $name -}}
    {{- $found = append $found (printf "settings.%s is a secret: put it into the Secret that secrets.existingSecret names, under the key %s" $name $name) -}}
  {{- end -}}
{{- end -}}
{{- range .Values.extraEnv -}}
  {{- $name := trimPrefix "GOVERNOR_" (upper .name) -}}
  {{- if hasPrefix "GOVERNOR_" (upper .name) -}}
    {{- if hasKey $ours $name -}}
      {{- $found = append $found (printf "extraEnv %s: set %s instead" .name (get $ours $name)) -}}
    {{- else if and (include "governor.isSecret" $name) (not (hasKey (default dict .valueFrom) "secretKeyRef")) -}}
      {{- $found = append $found (printf "extraEnv %s is a secret: give it by valueFrom.secretKeyRef" .name) -}}
    {{- end -}}
  {{- else if and (hasPrefix "OTEL_EXPORTER_OTLP" (upper .name)) (hasSuffix "HEADERS" (upper .name)) (not (hasKey (default dict .valueFrom) "secretKeyRef")) -}}
    {{- $found = append $found (printf "extraEnv %s is a secret: give it by valueFrom.secretKeyRef" .name) -}}
  {{- end -}}
{{- end -}}
{{- if and .Values.secrets.googleKeyFile (not .Values.secrets.existingSecret) -}}
  {{- $found = append $found "secrets.googleKeyFile names a key of a Secret: set secrets.existingSecret to the Secret" -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}

{{- define "governor.refused.network" -}}
{{- $found := list -}}
{{- range $name := list "ingress" "httpRoute" -}}
  {{- if and (index $.Values $name).enabled $.Values.networkPolicy.enabled (not $.Values.networkPolicy.apiFrom) -}}
    {{- $found = append $found (printf "%s is enabled, and the network policy lets nobody in: set networkPolicy.apiFrom to where its controller runs, such as [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress-nginx}}}]" $name) -}}
  {{- end -}}
{{- end -}}
{{- if and (ne .Values.service.type "ClusterIP") .Values.networkPolicy.enabled (not .Values.networkPolicy.apiFrom) -}}
  {{- $found = append $found (printf "service.type is %s, and the network policy lets nobody in: set networkPolicy.apiFrom to who may, such as [{ipBlock: {cidr: 203.0.113.0/24}}]" .Values.service.type) -}}
{{- end -}}
{{- if and .Values.metrics.prometheusRule.enabled (not .Values.metrics.monitors.enabled) -}}
  {{- $found = append $found "metrics.prometheusRule asks for what the monitors name: set metrics.monitors.enabled=true" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) -}}
  {{- $found = append $found "ingress.enabled is true: set ingress.hosts" -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
  {{- $found = append $found "httpRoute.enabled is true: set httpRoute.parentRefs to the gateway" -}}
{{- end -}}
{{- if and .Values.metrics.monitors.enabled .Values.networkPolicy.enabled (not .Values.networkPolicy.metricsFrom) -}}
  {{- $found = append $found "metrics.monitors is enabled, and the network policy does not let Prometheus in: set networkPolicy.metricsFrom, such as [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]" -}}
{{- end -}}
{{- toJson $found -}}
{{- end -}}
