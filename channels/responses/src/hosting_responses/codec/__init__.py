"""The wire format of the Responses API, as pure functions from data to data (contract 2.6)."""

from .compaction import pack
from .events import DONE, encode, sse_frame
from .objects import ResponseEnd, ended, new_response, wire_usage
from .options import PARAMETERS
from .parse import Referred, conversation_of, instruction, parse_create, parse_input, references
from .request import ParsedRequest
from .stream import ResponseStreamBuilder
from .wire import Event, Item

__all__ = [
    "DONE",
    "PARAMETERS",
    "Event",
    "Item",
    "ParsedRequest",
    "Referred",
    "ResponseEnd",
    "ResponseStreamBuilder",
    "conversation_of",
    "encode",
    "ended",
    "instruction",
    "new_response",
    "pack",
    "parse_create",
    "parse_input",
    "references",
    "sse_frame",
    "wire_usage",
]
