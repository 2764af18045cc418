"""What API channels share on their way from and to the wire: bodies, answers, streams, authentication, routes.

Knows nothing of the host.
"""

from .answer import JsonAnswer, StreamingAnswer
from .auth import LOCAL_CALLER, Auth, Authenticator, Gate, resolve_auth
from .body import MAX_JSON_DEPTH, decode_json_object, read_body, read_json_object, require_json
from .boundary import ErrorBoundary
from .disconnect import ClientGone, cancel_on_disconnect
from .jwks import JwksFetch
from .jwt_bearer import ASYMMETRIC_ALGORITHMS, JwtBearer
from .problems import Problem, describe, error_headers, plain_error
from .routing import ChannelRoutes, RootRoutes
from .sse import KEEP_ALIVE, sse_comment, sse_event
from .tokens import BearerTokens, bearer_token

__all__ = [
    "ASYMMETRIC_ALGORITHMS",
    "KEEP_ALIVE",
    "LOCAL_CALLER",
    "MAX_JSON_DEPTH",
    "Auth",
    "Authenticator",
    "BearerTokens",
    "ChannelRoutes",
    "ClientGone",
    "ErrorBoundary",
    "Gate",
    "JsonAnswer",
    "JwksFetch",
    "JwtBearer",
    "Problem",
    "RootRoutes",
    "StreamingAnswer",
    "bearer_token",
    "cancel_on_disconnect",
    "decode_json_object",
    "describe",
    "error_headers",
    "plain_error",
    "read_body",
    "read_json_object",
    "require_json",
    "resolve_auth",
    "sse_comment",
    "sse_event",
]
