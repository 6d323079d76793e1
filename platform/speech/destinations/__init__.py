"""Buckets of tenants' own, into which results are copied: registered, verified, then named by their id."""
