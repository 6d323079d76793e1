"""The metrics of one process for Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats/)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from typing import Self

from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from observe.instruments import INSTRUMENTS, Instrument
from observe.logs import get_logger
from observe.metrics import Gauges, Reading

FRESH_S = 5.0  # several scrapers cost the database no more than one

log = get_logger(__name__)


class Prometheus:
    """What was recorded in this process, and what its gauges read when they are asked."""

    def __init__(self, *, gauges: Sequence[Gauges]) -> None:
        self.registry = CollectorRegistry()
        self._made = {one: _made(one, self.registry) for one in INSTRUMENTS if one.kind != "gauge"}
        self.registry.register(GaugeCollector(gauges))

    @classmethod
    def serving(cls, *, port: int, address: str, gauges: Sequence[Gauges]) -> Self:
        """One that answers on this port; of several processes that share one, the first answers."""
        made = cls(gauges=gauges)
        try:
            start_http_server(port, addr=address, registry=made.registry)
        except OSError as error:
            log.warning("metrics_port_taken", port=port, error=type(error).__name__)
        return made

    def record(self, instrument: Instrument, value: float, labels: Sequence[str]) -> None:
        found = self._made[instrument]
        child = found.labels(*labels) if labels else found
        if isinstance(child, Histogram):
            child.observe(value)
        else:
            child.inc(value)


class GaugeCollector(Collector):
    """Gauges are read when somebody scrapes; one that cannot be read is missing, and the others are there."""

    def __init__(self, gauges: Sequence[Gauges]) -> None:
        self._gauges = gauges
        self._guard = threading.Lock()
        self._readings: list[Reading] = []
        self._read_at = float("-inf")

    def collect(self) -> Iterator[GaugeMetricFamily]:
        with self._guard:
            if time.monotonic() - self._read_at > FRESH_S:
                self._readings, self._read_at = list(self._read()), time.monotonic()
            readings = self._readings
        families: dict[str, GaugeMetricFamily] = {}
        for reading in readings:
            one = reading.instrument
            family = families.setdefault(one.name, GaugeMetricFamily(one.name, one.help, labels=one.labels))
            family.add_metric(reading.labels, reading.value)
        yield from families.values()

    def _read(self) -> Iterator[Reading]:
        for gauges in self._gauges:
            try:
                yield from list(gauges())
            except Exception as error:
                log.warning("gauge_unreadable", error=type(error).__name__)


def _made(one: Instrument, registry: CollectorRegistry) -> Counter | Histogram:
    if one.kind == "counter":
        return Counter(one.name, one.help, one.labels, registry=registry)
    return Histogram(one.name, one.help, one.labels, registry=registry, buckets=one.buckets)
