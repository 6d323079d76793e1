"""A tenant's people, managed by keys until customers have pages of their own."""
