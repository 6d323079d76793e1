#!/usr/bin/env bash
# Sign a sample event and POST it with curl, to try a receiver of your own: WEBHOOK_SECRET=whsec_… ./send.sh URL
set -euo pipefail
url=$1
id=evt_sample_$RANDOM timestamp=$(date +%s)
body='{"type":"webhook_endpoint.test","timestamp":"2026-11-23T09:00:00.000Z","data":{"object":"webhook_endpoint"}}'
key=$(printf '%s' "${WEBHOOK_SECRET#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
# `ps` shows the key for a moment: a secret for development only.
signature=$(printf '%s.%s.%s' "$id" "$timestamp" "$body" |
  openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A)
curl --silent --show-error --output /dev/null --write-out '%{http_code}\n' "$url" \
  --header 'content-type: application/json' --header "webhook-id: $id" \
  --header "webhook-timestamp: $timestamp" --header "webhook-signature: v1,$signature" --data-raw "$body"
