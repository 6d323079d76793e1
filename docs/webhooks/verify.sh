#!/usr/bin/env bash
# Verify a webhook of Parlance with bash and openssl: headers in the environment as in a CGI script, the body on stdin.
set -euo pipefail
tolerance_s=300 # an older message may be a copy that somebody kept
: "${HTTP_WEBHOOK_ID:=}" "${HTTP_WEBHOOK_TIMESTAMP:=}" "${HTTP_WEBHOOK_SIGNATURE:=}"

sha256_hex() { openssl dgst -sha256 -r | cut -c 1-64; }
bytes() { local hex=$1; while [ -n "$hex" ]; do printf '%b' "\\x${hex:0:2}"; hex=${hex:2}; done; }

# HMAC-SHA256 of stdin with a key in hex. Written out, because openssl wants the key as an argument, which `ps` shows.
hmac_hex() {
  local key=$1 inner="" outer="" place digest
  while [ ${#key} -lt 128 ]; do key+=00; done
  for ((place = 0; place < 128; place += 2)); do
    printf -v inner '%s%02x' "$inner" $((0x${key:place:2} ^ 0x36))
    printf -v outer '%s%02x' "$outer" $((0x${key:place:2} ^ 0x5c))
  done
  digest=$({ bytes "$inner"; cat; } | sha256_hex)
  { bytes "$outer"; bytes "$digest"; } | sha256_hex
}

key_hex() {
  local key
  key=$(printf '%s' "${1#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
  [ ${#key} -ge 48 ] && [ ${#key} -le 128 ] && printf '%s' "$key"
}

refuse() { echo refused >&2; exit 1; }

[[ $HTTP_WEBHOOK_TIMESTAMP =~ ^[1-9][0-9]{0,11}$ ]] || refuse
age_s=$(($(date +%s) - HTTP_WEBHOOK_TIMESTAMP))
[ "${age_s#-}" -le "$tolerance_s" ] || refuse

body=$(mktemp) && trap 'rm -f "$body"' EXIT
cat >"$body"
once=$(openssl rand -hex 32) # comparing under a key of the moment takes the same time wherever two texts differ
read -ra given <<<"$HTTP_WEBHOOK_SIGNATURE"
for secret in $WEBHOOK_SECRETS; do
  key=$(key_hex "$secret") || refuse
  digest=$({ printf '%s.%s.' "$HTTP_WEBHOOK_ID" "$HTTP_WEBHOOK_TIMESTAMP"; cat "$body"; } | hmac_hex "$key")
  ours=$(printf 'v1,%s' "$(bytes "$digest" | openssl base64 -A)" | hmac_hex "$once")
  for theirs in "${given[@]}"; do
    [ "$ours" != "$(printf '%s' "$theirs" | hmac_hex "$once")" ] || { echo verified && exit 0; }
  done
done
refuse
