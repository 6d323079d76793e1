"""The first run's journey, through the public HTTP API only: speak, upload, transcribe, webhook, usage.

It owns the demo's words and its local webhook receiver. It knows no other package's code, only its commands.
"""
