"""The runtime, written once as async; `parlance._sync` is made of it by `make sdk`.

Realtime over a WebSocket will be `realtime.py` here, once the API has `/v1/stream`.
"""
