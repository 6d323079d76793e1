"""What the e-mails say, as data: per kind and language a subject and a body. They hold no URL of a tenant."""

from __future__ import annotations

LANGUAGES = ("en", "ko")

_EN_FOOT = "\n\nEndpoint: {endpoint} ({mode})\nDelivery log: {api_url}/v1/deliveries?endpoint_id={endpoint}\n"
_KO_FOOT = "\n\n엔드포인트: {endpoint} ({mode})\n전송 기록: {api_url}/v1/deliveries?endpoint_id={endpoint}\n"

TEXTS: dict[tuple[str, str], tuple[str, str]] = {
    ("webhook_endpoint.failing", "en"): (
        "Webhook endpoint {endpoint} is failing",
        "Every delivery to your webhook endpoint has failed since {since} (UTC). Nothing is lost so far: each event is"
        " tried again for more than three days.\n\nLook at the last answers in the delivery log and repair the"
        " receiver. After {disable_hours} hours without any success the endpoint is switched off." + _EN_FOOT,
    ),
    ("webhook_endpoint.failing", "ko"): (
        "웹훅 엔드포인트 {endpoint} 전송이 실패하고 있습니다",
        "{since} (UTC)부터 이 웹훅 엔드포인트로 보낸 전송이 모두 실패했습니다. 아직 유실된 이벤트는 없으며, 각 이벤트는"
        " 사흘 넘게 재시도됩니다.\n\n전송 기록에서 최근 응답을 확인하고 수신 서버를 복구해 주세요. {disable_hours}시간"
        " 동안 한 번도 성공하지 못하면 엔드포인트가 꺼집니다." + _KO_FOOT,
    ),
    ("webhook_endpoint.disabled", "en"): (
        "Webhook endpoint {endpoint} was switched off",
        "Your webhook endpoint was switched off: {reason_text}\n\nRepair the receiver, then enable the endpoint (PATCH"
        ' with "enabled": true) and recover what it missed (POST /recover).' + _EN_FOOT,
    ),
    ("webhook_endpoint.disabled", "ko"): (
        "웹훅 엔드포인트 {endpoint}이(가) 꺼졌습니다",
        "웹훅 엔드포인트가 꺼졌습니다: {reason_text}\n\n수신 서버를 복구한 뒤 엔드포인트를 다시 켜고(PATCH,"
        ' "enabled": true) 놓친 이벤트를 복구해 주세요(POST /recover).' + _KO_FOOT,
    ),
    ("webhook_endpoint.recovered", "en"): (
        "Webhook endpoint {endpoint} works again",
        "Your webhook endpoint answered with success again. What waited is being sent now. If it was switched off"
        " meanwhile, recover what it missed (POST /recover)." + _EN_FOOT,
    ),
    ("webhook_endpoint.recovered", "ko"): (
        "웹훅 엔드포인트 {endpoint}이(가) 다시 동작합니다",
        "웹훅 엔드포인트가 다시 성공 응답을 보냈습니다. 대기 중이던 이벤트를 지금 전송합니다. 그동안 꺼져 있었다면 놓친"
        " 이벤트를 복구해 주세요(POST /recover)." + _KO_FOOT,
    ),
}

REASONS: dict[tuple[str, str], str] = {
    ("failing", "en"): "it has only failed since {since} (UTC). It is tried again by itself, less and less often.",
    ("failing", "ko"): "{since} (UTC)부터 모든 전송이 실패했습니다. 점점 긴 간격으로 자동 재시도합니다.",
    ("gone", "en"): "it answered 410 Gone.",
    ("gone", "ko"): "수신 서버가 410 Gone으로 응답했습니다.",
}

MODES = {("live", "en"): "live", ("test", "en"): "test", ("live", "ko"): "운영", ("test", "ko"): "테스트"}
