"""What a broken connection looks like from inside of a simulator."""

from __future__ import annotations

import httpx


class ConnectionBroken(httpx.ReadError):
    """Raised through the simulator's app so that its server drops the connection.

    Over the in-memory bridge, which raises an app's errors in its client, it is what the client sees.
    """
