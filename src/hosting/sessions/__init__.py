"""Sessions: their names, locks, histories, and how they are opened, forked and saved (contract 6)."""
