"""A circuit breaker that all processes share; import it from `egress.facade`."""
