"""Events on their way in, replies on their way out (contract 4.3, 4.6, 4.7)."""
