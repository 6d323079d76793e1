{{- define "parlance.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "parlance.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{- define "parlance.labels" -}}
{{ include "parlance.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- define "parlance.meta" -}}
name: {{ include "parlance.fullname" .root }}-{{ .component }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "parlance.labels" . | nindent 2 }}
{{- end -}}

{{- define "parlance.image" -}}
{{- $tag := .image.tag | default .root.Chart.AppVersion -}}
{{- if .image.digest }}{{ .image.repository }}@{{ .image.digest }}{{ else }}{{ .image.repository }}:{{ $tag }}{{ end -}}
{{- end -}}

{{- define "parlance.url" -}}
http://{{ include "parlance.fullname" . }}-web.{{ .Release.Namespace }}.svc:8700
{{- end -}}

{{/* Stops with a sentence that says what to set. */}}
{{- define "parlance.validate" -}}
{{- $v := .Values -}}
{{- if not $v.publicUrl }}{{ fail "publicUrl is empty. Set it to the https address that customers use: --set publicUrl=https://speech.example.com" }}{{ end -}}
{{- if not $v.existingSecret }}{{ fail "existingSecret is empty. Make a Secret with the keys that the chart's README lists, and name it: --set existingSecret=parlance" }}{{ end -}}
{{- if not $v.s3.bucket }}{{ fail "s3.bucket is empty. Name the bucket for recordings and results: --set s3.bucket=speech" }}{{ end -}}
{{- if and $v.externalSecret.enabled (or (not $v.externalSecret.remoteKey) (not $v.externalSecret.storeRef.name)) }}{{ fail "externalSecret.enabled needs externalSecret.storeRef.name and externalSecret.remoteKey." }}{{ end -}}
{{- if and $v.httpRoute.enabled (not $v.httpRoute.parentRefs) }}{{ fail "httpRoute.enabled needs httpRoute.parentRefs, the Gateways that carry the route." }}{{ end -}}
{{- range $name, $pool := $v.gpuPools }}
{{- if not (($pool.weights).existingClaim) }}{{ fail (printf "gpuPools.%s.weights.existingClaim is empty. The pool has no way out, so bring the weights in a volume (docs/operations.md)." $name) }}{{ end -}}
{{- end -}}
{{- range $name, $_ := merge (dict) $v.workers $v.gpuPools }}
{{- if or (not (regexMatch "^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$" $name)) (has $name (list "web" "scheduler" "migrate" "test")) }}{{ fail (printf "%q cannot name a worker or pool. Take at most 20 of a-z, 0-9 and -, and none of web, scheduler, migrate, test." $name) }}{{ end -}}
{{- if and (hasKey $v.workers $name) (hasKey $v.gpuPools $name) (index $v.workers $name) }}{{ fail (printf "%q names a worker and a pool. Give one another name." $name) }}{{ end -}}
{{- end -}}
{{- end -}}

{{- define "parlance.whisperModels" -}}
{{- $models := list -}}
{{- range $_, $pool := .Values.gpuPools }}{{ $models = append $models $pool.model }}{{ end -}}
{{- join "," ($models | uniq) -}}
{{- end -}}

{{/* Environment of every process: `env` adds to it. Secrets one by one, so that a process gets what it needs. */}}
{{- define "parlance.env" -}}
{{- $root := .root -}}
{{- $v := $root.Values -}}
{{- $plain := dict "PARLANCE_MODE" "production" "PARLANCE_PUBLIC_URL" $v.publicUrl "S3_BUCKET" $v.s3.bucket "S3_REGION" $v.s3.region "PARLANCE_METRICS_PORT" "9700" "PARLANCE_METRICS_BIND" "0.0.0.0" "PARLANCE_WORK_DIR" "/work" "PARLANCE_HOME" "/tmp/home" "TMPDIR" "/tmp" -}}
{{- with $v.s3.endpointUrl }}{{ $_ := set $plain "S3_ENDPOINT_URL" . }}{{ end -}}
{{- with include "parlance.whisperModels" $root }}{{ $_ := set $plain "PARLANCE_WHISPER_MODELS" . }}{{ end -}}
{{- $_ := set $plain "PARLANCE_LIMIT_PROCESSES" (ternary $v.web.autoscaling.maxReplicas $v.web.replicas $v.web.autoscaling.enabled | toString) -}}
{{- range $name, $value := mergeOverwrite $plain $v.settings (.env | default dict) }}
- name: {{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- range $name := list "DATABASE_URL" "DATABASE_SYSTEM_URL" "DATABASE_OWNER_URL" "REDIS_URL" "PARLANCE_SECRET_KEY" "PARLANCE_KEY_PEPPER" "PARLANCE_MASTER_KEY" }}
- name: {{ $name }}
  valueFrom: {secretKeyRef: {name: {{ $v.existingSecret }}, key: {{ $name }}}}
{{- end }}
{{- range $name := list "S3_ACCESS_KEY_ID" "S3_SECRET_ACCESS_KEY" }}
- name: {{ $name }}
  valueFrom: {secretKeyRef: {name: {{ $v.existingSecret }}, key: {{ $name }}, optional: true}}
{{- end }}
{{- end -}}

{{- define "parlance.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* The whole pod of one process. root, component, args, image, resources, grace; env, allSecrets, probes, ports,
     preStop, workSize, mounts, volumes, pod (nodeSelector, tolerations, runtimeClassName), restart. */}}
{{- define "parlance.pod" -}}
{{- $v := .root.Values -}}
metadata:
  labels:
    {{- include "parlance.labels" . | nindent 4 }}
  {{- with $v.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ .grace }}
  {{- with .restart }}
  restartPolicy: {{ . }}
  {{- end }}
  {{- with $v.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    seccompProfile: {type: RuntimeDefault}
  {{- with .pod.runtimeClassName }}
  runtimeClassName: {{ . }}
  {{- end }}
  {{- with .pod.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .pod.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  topologySpreadConstraints:
    {{- $self := . }}
    {{- range list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "parlance.selector" $self | nindent 10 }}
    {{- end }}
  containers:
    - name: {{ .container | default "parlance" }}
      image: {{ include "parlance.image" (dict "root" .root "image" .image) }}
      imagePullPolicy: {{ .image.pullPolicy }}
      args: {{ toJson .args }}
      {{- if not .bare }}
      env:
        {{- include "parlance.env" . | nindent 8 }}
      {{- end }}
      {{- if .allSecrets }}
      envFrom:
        - secretRef: {name: {{ $v.existingSecret }}}
      {{- end }}
      {{- with .ports }}
      ports:
        {{- range $name, $port := . }}
        - {name: {{ $name }}, containerPort: {{ $port }}, protocol: TCP}
        {{- end }}
      {{- end }}
      {{- with .probes }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
      {{- with .preStop }}
      lifecycle: {preStop: {sleep: {seconds: {{ . }}}}}
      {{- end }}
      resources:
        {{- toYaml .resources | nindent 8 }}
      securityContext:
        {{- include "parlance.containerSecurity" . | nindent 8 }}
      volumeMounts:
        - {name: tmp, mountPath: /tmp}
        {{- if .workSize }}
        - {name: work, mountPath: /work}
        {{- end }}
        {{- range .mounts }}
        - {{ toJson . }}
        {{- end }}
  volumes:
    - {name: tmp, emptyDir: {sizeLimit: {{ $v.tmpSize }}}}
    {{- if .workSize }}
    - {name: work, emptyDir: {sizeLimit: {{ .workSize }}}}
    {{- end }}
    {{- range .volumes }}
    - {{ toJson . }}
    {{- end }}
{{- end -}}

{{/* Probes of a process without HTTP: its port of metrics is open. Its work is watched by leases, not by probes. */}}
{{- define "parlance.portProbes" -}}
startupProbe: {tcpSocket: {port: metrics}, periodSeconds: 5, failureThreshold: {{ .failures }}}
livenessProbe: {tcpSocket: {port: metrics}, periodSeconds: 20, failureThreshold: 3, timeoutSeconds: 5}
{{- end -}}

{{- define "parlance.budget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "parlance.meta" . | nindent 2 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "parlance.selector" . | nindent 6 }}
{{- end -}}
