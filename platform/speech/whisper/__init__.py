"""The Whisper pool's decoder: windows of many tenants in one batch. It imports torch: only the pool's process does."""
