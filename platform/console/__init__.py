"""Pages for finance; those for tenants and operators come with their own issue."""
