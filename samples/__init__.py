"""Hosts that run offline; each is run by a test."""
