{{/* One process's way in and out: root, component, internet, ingress (lines of rules). Everything else is denied. */}}
{{- define "parlance.policy" -}}
{{- $net := .root.Values.network -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  {{- include "parlance.meta" . | nindent 2 }}
  {{- with .annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  podSelector:
    matchLabels:
      {{- include "parlance.selector" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
  ingress:
    {{- if .serves }}
    - from:
        - podSelector:
            matchLabels:
              {{- include "parlance.selector" (dict "root" .root) | nindent 14 }}
        {{- range $net.clients }}
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{ . }}}}
        {{- end }}
      ports: [{port: 8700, protocol: TCP}]
    {{- end }}
    {{- if and .watched $net.monitoring }}
    - from:
        {{- range $net.monitoring }}
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{ . }}}}
        {{- end }}
      ports: [{port: 9700, protocol: TCP}]
    {{- end }}
    {{- if not (or .serves (and .watched $net.monitoring)) }}
    []
    {{- end }}
  egress:
    - to:
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{ $net.dns }}}}
      ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
    {{- if .calls }}
    - to:
        - podSelector:
            matchLabels:
              {{- include "parlance.selector" (dict "root" .root "component" "web") | nindent 14 }}
      ports: [{port: 8700, protocol: TCP}]
    {{- else }}
    {{- range list $net.data $net.storage }}
    - to:
        {{- range .cidrs }}
        - ipBlock: {cidr: {{ . }}}
        {{- end }}
      ports:
        {{- range .ports }}
        - {port: {{ . }}, protocol: TCP}
        {{- end }}
    {{- end }}
    {{- if .internet }}
    - to:
        - ipBlock:
            cidr: 0.0.0.0/0
            except: {{ toJson $net.internet.except }}
      ports:
        {{- range $net.internet.ports }}
        - {port: {{ . }}, protocol: TCP}
        {{- end }}
    {{- end }}
    {{- with $net.extraEgress }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- end }}
{{- end -}}
