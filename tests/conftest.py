"""Settings that every test shares: the same examples on every run, no clock in the verdict."""

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.load_profile("repeatable")
