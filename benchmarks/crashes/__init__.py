"""Kills true processes at every step of their work, and looks at what was lost, seen twice or recorded."""
