"""Rate limits: GCRA over several meters at once, all or nothing. Import it from `apikit.facade` or by module."""
