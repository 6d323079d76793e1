{{/* Replicas by the seconds of work that wait: root, component, scaling, target, value, executors. */}}
{{- define "parlance.scaled" -}}
{{- $keda := .root.Values.keda -}}
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  {{- include "parlance.meta" . | nindent 2 }}
spec:
  scaleTargetRef: {name: {{ include "parlance.fullname" .root }}-{{ .component }}}
  minReplicaCount: {{ .scaling.minReplicas }}
  maxReplicaCount: {{ .scaling.maxReplicas }}
  pollingInterval: {{ $keda.pollingSeconds }}
  cooldownPeriod: {{ $keda.cooldownSeconds }}
  fallback: {failureThreshold: 3, replicas: {{ $keda.fallbackReplicas }}, behavior: currentReplicasIfHigher}
  advanced:
    horizontalPodAutoscalerConfig:
      behavior:
        # A backlog that melts must not take away the replicas that melt it.
        scaleDown: {stabilizationWindowSeconds: {{ max 300 .scaling.drainSeconds }}, policies: [{type: Pods, value: 1, periodSeconds: 60}]}
  triggers:
    - type: metrics-api
      metricType: AverageValue
      metadata:
        url: {{ include "parlance.url" .root }}/internal/autoscale?executor={{ .executors }}
        format: json
        valueLocation: {{ .value }}
        targetValue: {{ .target | quote }}
        activationTargetValue: "0"
        authMode: bearer
      authenticationRef: {name: {{ include "parlance.fullname" .root }}-autoscale}
{{- end -}}
