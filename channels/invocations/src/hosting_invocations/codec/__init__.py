"""The wire format of invocations, as pure functions from data to data (contract 2.6)."""

from .answer import Answer, AnswerEnd, encode, ended, frame, new_answer, numbered_frame, replayed, terminal
from .envelope import ParsedInvocation, is_id, parse_envelope
from .fold import AnswerFold, Event
from .items import cleaned
from .openapi import openapi_document

__all__ = [
    "Answer",
    "AnswerEnd",
    "AnswerFold",
    "Event",
    "ParsedInvocation",
    "cleaned",
    "encode",
    "ended",
    "frame",
    "is_id",
    "new_answer",
    "numbered_frame",
    "openapi_document",
    "parse_envelope",
    "replayed",
    "terminal",
]
