"""The migrations of the schema, oldest first; each is one module, and is never edited once released."""
