{{- /* All of these take (dict "root" . "component" "api"). */ -}}

{{- define "governor.pod.metadata" -}}
labels:
  {{- include "governor.selector" . | nindent 2 }}
  app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
  {{- with .root.Values.podLabels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  kubectl.kubernetes.io/default-container: governor
  {{- with .root.Values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- /* What every pod has, whatever runs in it; the service account is left to the caller. */ -}}
{{- define "governor.pod.common" -}}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: 60
securityContext:
  runAsNonRoot: true
  {{- range $name, $number := .root.Values.podSecurity }}
  {{- if not (kindIs "invalid" $number) }}
  {{ $name }}: {{ int $number }}
  {{- end }}
  {{- end }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- define "governor.pod.spread" -}}
topologySpreadConstraints:
  {{- if .root.Values.topologySpreadConstraints }}
  {{- toYaml .root.Values.topologySpreadConstraints | nindent 2 }}
  {{- else }}
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "governor.selector" . | nindent 8 }}
  {{- end }}
{{- end -}}

{{- define "governor.container.security" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "governor.container.image" -}}
image: {{ include "governor.image" (dict "image" .root.Values.image "tag" .root.Chart.AppVersion) | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  {{- include "governor.container.security" . | nindent 2 }}
{{- end -}}

{{- /* What each process that governs is told; what is secret, by reference. */ -}}
{{- define "governor.env" -}}
{{ include "governor.env.database" . }}
{{- with .root.Values.redis }}
{{- if .existingSecret }}
- name: GOVERNOR_REDIS_URL
  valueFrom:
    secretKeyRef:
      name: {{ .existingSecret }}
      key: {{ .key }}
{{- end }}
{{- end }}
- name: GOVERNOR_RULES_DIR
  value: {{ include "governor.rulesDir" .root | quote }}
{{- with .root.Values.secrets }}
{{- if .existingSecret }}
- name: GOVERNOR_SECRETS_DIR
  value: /etc/governor/secrets
{{- end }}
{{- if .googleKeyFile }}
- name: GOVERNOR_GOOGLE_ADS__JSON_KEY_FILE_PATH
  value: {{ printf "/etc/governor/secrets/%s" .googleKeyFile | quote }}
{{- end }}
{{- end }}
{{- if .root.Values.killSwitch }}
- name: GOVERNOR_KILL_SWITCH
  value: "true"
{{- end }}
{{- include "governor.env.settings" . }}
{{- end -}}

{{- define "governor.env.database" -}}
- name: GOVERNOR_DATABASE_URL
{{- if include "governor.onSqlite" .root }}
  value: sqlite+aiosqlite:////data/governor.db
{{- else }}
  {{- $from := .root.Values.database }}
  {{- if and (eq .component "migration") .root.Values.migration.existingSecret }}
  {{- $from = .root.Values.migration }}
  {{- end }}
  valueFrom:
    secretKeyRef:
      name: {{ $from.existingSecret }}
      key: {{ $from.key }}
{{- end }}
{{- end -}}

{{- /* A large number would be written as 1e+06. */ -}}
{{- define "governor.env.settings" -}}
{{- range $name, $value := .root.Values.settings }}
- name: GOVERNOR_{{ $name }}
  {{- if and (kindIs "float64" $value) (eq (floor $value) $value) }}
  value: {{ int64 $value | quote }}
  {{- else }}
  value: {{ toString $value | quote }}
  {{- end }}
{{- end }}
{{- with .root.Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "governor.rulesDir" -}}
{{- if .Values.rules.gitSync.enabled -}}
{{- printf "/rules/current/%s" .Values.rules.gitSync.path | trimSuffix "/" -}}
{{- else -}}
/rules
{{- end -}}
{{- end -}}

{{- define "governor.mounts" -}}
- name: tmp
  mountPath: /tmp
- name: rules
  mountPath: /rules
  readOnly: true
{{- if .root.Values.secrets.existingSecret }}
- name: secrets
  mountPath: /etc/governor/secrets
  readOnly: true
{{- end }}
{{- with .root.Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "governor.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: {{ .root.Values.tmpSize }}
{{- include "governor.volumes.rules" . }}
{{- with .root.Values.secrets.existingSecret }}
- name: secrets
  secret:
    secretName: {{ . }}
    defaultMode: 0440
{{- end }}
{{- with .root.Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* Packs lie in a folder of their own, which the keys of a ConfigMap cannot name. */ -}}
{{- define "governor.volumes.rules" }}
- name: rules
{{- $fullname := include "governor.fullname" .root }}
{{- with .root.Values.rules }}
{{- if .gitSync.enabled }}
  emptyDir:
    sizeLimit: 1Gi
- name: git-tmp
  emptyDir:
    sizeLimit: 256Mi
{{- if .gitSync.existingSecret }}
- name: git-credentials
  secret:
    secretName: {{ .gitSync.existingSecret }}
    defaultMode: 0440
{{- end }}
{{- else }}
  projected:
    defaultMode: 0444
    sources:
      {{- if .existingConfigMap }}
      - configMap:
          name: {{ .existingConfigMap }}
      {{- else }}
      - configMap:
          name: {{ $fullname }}-rules
      {{- end }}
      {{- if .existingPacks.configMap }}
      - configMap:
          name: {{ .existingPacks.configMap }}
          items:
            {{- range .existingPacks.keys }}
            - key: {{ . }}
              path: packs/{{ . }}
            {{- end }}
      {{- else if .packs }}
      - configMap:
          name: {{ $fullname }}-rule-packs
          items:
            {{- range $name, $_ := .packs }}
            - key: {{ $name }}
              path: packs/{{ $name }}
            {{- end }}
      {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* The first sync is waited for; the others happen beside the process, where there is one that stays. */ -}}
{{- define "governor.gitSync.first" -}}
{{- if .root.Values.rules.gitSync.enabled }}
initContainers:
  - name: git-sync-first
    {{- include "governor.gitSync.container" . | nindent 4 }}
      - name: GITSYNC_ONE_TIME
        value: "true"
      - name: GITSYNC_MAX_FAILURES
        value: "5"
{{- end }}
{{- end -}}

{{- define "governor.gitSync.beside" -}}
{{- if .root.Values.rules.gitSync.enabled }}
- name: git-sync
  {{- include "governor.gitSync.container" . | nindent 2 }}
    - name: GITSYNC_PERIOD
      value: {{ .root.Values.rules.gitSync.period | quote }}
    # A git server that is away ends nobody's rules: the last ones stay, and it is asked again.
    - name: GITSYNC_MAX_FAILURES
      value: "-1"
{{- end }}
{{- end -}}

{{- define "governor.gitSync.container" -}}
{{- with .root.Values.rules.gitSync -}}
image: {{ include "governor.image" (dict "image" .image "tag" .image.tag) | quote }}
imagePullPolicy: {{ .image.pullPolicy }}
securityContext:
  {{- if not (kindIs "invalid" .runAsUser) }}
  runAsUser: {{ int .runAsUser }}
  runAsGroup: {{ int .runAsUser }}
  {{- end }}
  {{- include "governor.container.security" . | nindent 2 }}
resources:
  {{- toYaml .resources | nindent 2 }}
volumeMounts:
  - name: rules
    mountPath: /rules
  - name: git-tmp
    mountPath: /tmp
  {{- if .existingSecret }}
  - name: git-credentials
    mountPath: /etc/git-secret
    readOnly: true
  {{- end }}
env:
  - name: GITSYNC_REPO
    value: {{ .repo | quote }}
  - name: GITSYNC_REF
    value: {{ .ref | quote }}
  - name: GITSYNC_ROOT
    value: /rules
  - name: GITSYNC_LINK
    value: current
  - name: GITSYNC_DEPTH
    value: "1"
  - name: GITSYNC_SUBMODULES
    value: "off"
  {{- if include "governor.overSsh" .repo }}
  - name: GITSYNC_SSH_KEY_FILE
    value: /etc/git-secret/ssh
  - name: GITSYNC_SSH_KNOWN_HOSTS_FILE
    value: /etc/git-secret/known_hosts
  {{- else if .existingSecret }}
  - name: GITSYNC_USERNAME
    valueFrom:
      secretKeyRef:
        name: {{ .existingSecret }}
        key: username
  - name: GITSYNC_PASSWORD_FILE
    value: /etc/git-secret/password
  {{- end }}
{{- end }}
{{- end -}}

{{- define "governor.probes" -}}
startupProbe:
  httpGet: {path: /healthz, port: {{ .port }}}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: {{ div (add (int .startupSeconds) 4) 5 }}
livenessProbe:
  httpGet: {path: /healthz, port: {{ .port }}}
  periodSeconds: 30
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet: {path: /readyz, port: {{ .port }}}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 2
{{- end -}}
