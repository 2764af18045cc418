"""The turn pipeline: one module per step of contract 4.1, in order in `pipeline`."""
