"""Durable tasks on procrastinate, an engine on PostgreSQL, for several machines (contract 11.5, decision S2)."""

from .runner import ProcrastinateTaskRunner

__all__ = ["ProcrastinateTaskRunner"]
