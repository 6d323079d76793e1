"""Streams a file from a URL to disk: every hop guarded, size, time and speed bounded."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin

import httpcore

from egress.deadline import Deadline, deadline
from egress.errors import HttpStatus, ResponseTooLarge, TooSlow, UrlBlocked
from egress.policy import Policy
from egress.urls import Target, parse_url
from egress.wire import Wire, first, plain_headers, require_identity

REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Download:
    """A complete file; `content_type` is what the sender claims."""

    path: Path
    size_bytes: int
    content_type: str | None
    sha256_hex: str
    final_url_host: str


@dataclass(frozen=True, slots=True)
class DownloadLimits:
    """Bounds of one download; the speed is looked at once per `speed_window_s`."""

    max_bytes: int
    total_timeout_s: float
    header_timeout_s: float
    min_bytes_per_s: int
    max_redirects: int
    speed_window_s: float


def download(
    url: str, *, to: Path, wire: Wire, policy: Policy, limits: DownloadLimits, headers: Mapping[str, str]
) -> Download:
    """Fetches a URL into the file `to`, which appears only when complete; raises an `EgressError`."""
    with deadline(seconds=limits.total_timeout_s) as limit:
        total_end = limit.ends_at
        with _final_answer(url, wire, policy, limits, headers, limit) as (target, response):
            limit.ends_at = total_end
            try:
                return _save(response, to=to, target=target, limits=limits)
            except httpcore.ReadTimeout:
                raise TooSlow from None


@contextlib.contextmanager
def _final_answer(
    url: str, wire: Wire, policy: Policy, limits: DownloadLimits, headers: Mapping[str, str], limit: Deadline
) -> Iterator[tuple[Target, httpcore.Response]]:
    total_end = limit.ends_at
    target = parse_url(url)
    for hop in range(limits.max_redirects + 1):
        policy.check_target(target)
        # Headers have their own, shorter end: dripping them would otherwise last as long as a download.
        limit.ends_at = min(total_end, time.monotonic() + limits.header_timeout_s)
        with wire.open("GET", target=target, headers=headers, read_timeout_s=limits.speed_window_s) as response:
            if response.status not in REDIRECTS:
                yield target, response
                return
            if hop == limits.max_redirects:
                raise HttpStatus(response.status)
            following = _redirect_target(response, target=target)
        if following.origin != target.origin:
            headers = {}  # any of them may be a credential for the first host
        target = following


def _redirect_target(response: httpcore.Response, *, target: Target) -> Target:
    location = first(plain_headers(response), "location")
    if not location:
        raise HttpStatus(response.status)
    try:
        return parse_url(urljoin(target.origin + target.path, location))
    except ValueError:
        raise UrlBlocked("syntax") from None


def _save(response: httpcore.Response, *, to: Path, target: Target, limits: DownloadLimits) -> Download:
    headers = plain_headers(response)
    if response.status != 200:
        raise HttpStatus(response.status)
    require_identity(headers)
    declared = first(headers, "content-length") or "0"
    if declared.isdecimal() and int(declared) > limits.max_bytes:
        raise ResponseTooLarge
    partial = to.with_name(f"{to.name}.part")
    try:
        size_bytes, sha256_hex = _write(response.iter_stream(), path=partial, limits=limits)
        partial.replace(to)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return Download(to, size_bytes, first(headers, "content-type"), sha256_hex, target.host)


def _write(chunks: Iterable[bytes], *, path: Path, limits: DownloadLimits) -> tuple[int, str]:
    digest = hashlib.sha256()
    speed = _Speed(window_s=limits.speed_window_s, min_bytes_per_s=limits.min_bytes_per_s)
    size_bytes = 0
    with path.open("wb") as file:
        for chunk in chunks:
            size_bytes += len(chunk)
            if size_bytes > limits.max_bytes:
                raise ResponseTooLarge
            speed.add(len(chunk))
            digest.update(chunk)
            file.write(chunk)
    return size_bytes, digest.hexdigest()


@dataclass(slots=True)
class _Speed:
    window_s: float
    min_bytes_per_s: int
    started_at: float = field(default_factory=time.monotonic)
    window_bytes: int = 0

    def add(self, size_bytes: int) -> None:
        self.window_bytes += size_bytes
        passed_s = time.monotonic() - self.started_at
        if passed_s < self.window_s:
            return
        if self.window_bytes < self.min_bytes_per_s * passed_s:
            raise TooSlow
        self.started_at, self.window_bytes = time.monotonic(), 0
