"""A host under load while things go wrong around it; see `soak.py`."""
