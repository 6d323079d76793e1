"""Pages for tenants, finance and operators: they come with their own issue."""
