"""Tenants' own credentials at providers: sealed at rest, never shown, tried before they are taken."""
