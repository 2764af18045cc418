"""The rules, one module per area; each registers itself with `@rule`."""
