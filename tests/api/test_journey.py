"""The main path over HTTP: upload, transcription, text, captions, usage."""

from __future__ import annotations

import httpx
from stack import Tenant


def test_it_transcribes_an_upload(alice_http: Tenant, clip: bytes) -> None:
    ticket = alice_http.live.post(
        "/v1/uploads", json={"filename": "clip.wav", "content_type": "audio/wav", "size_bytes": len(clip)}
    ).json()
    put = ticket["upload"]
    assert httpx.request(put["method"], put["url"], headers=put["headers"], content=clip).status_code == 200
    accepted = alice_http.live.post("/v1/transcriptions", json={"upload_id": ticket["id"], "engine": "simulated"})
    assert accepted.status_code == 202
    done = alice_http.live.get(accepted.headers["Location"], headers={"Prefer": "wait=30"}).json()
    assert done["status"] == "completed"
    assert done["text"]
    assert done["duration_ms"] == 1000
    assert done["cost"] == {"amount": "0.0001", "currency": "USD"}
