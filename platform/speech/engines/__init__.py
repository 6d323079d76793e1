"""Engines: one module per engine behind the port in `ports.py`."""
