"""Background runs: their tokens, how a request is kept, and the log of what a run says (contract 12)."""
