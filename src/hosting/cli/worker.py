"""`python -m hosting.cli.worker`: one worker of `hosting serve --workers N`, started by its supervisor."""

from __future__ import annotations

import argparse
import asyncio

from ..serve import serve_worker
from ..state.base import HostStateStore
from ..state.tables import instances
from .loading import exit_code, load_host, log_to_stderr
from .stores import beside, opened


def main() -> int:
    """Serves until the supervisor sends a signal, or is gone."""
    parser = argparse.ArgumentParser(prog="hosting-worker")
    parser.add_argument("host_path")
    parser.add_argument("--listener", type=int, required=True)
    parser.add_argument("--link", type=int, required=True)
    parser.add_argument("--log-level", default="info")
    parser.add_argument("--after")
    arguments = parser.parse_args()
    log_to_stderr(arguments.log_level, with_process=True)

    def work() -> int:
        host = load_host(arguments.host_path)
        if arguments.after:
            asyncio.run(_sign_off(beside(host.store), arguments.after))
        serve_worker(host, arguments.listener, arguments.link)
        return 0

    return exit_code(work)


async def _sign_off(store: HostStateStore, dead: str) -> None:
    """The supervisor saw that worker end: nobody needs to wait until its lease runs out."""
    async with opened(store):
        await store.execute(instances.leave_instance(dead))


if __name__ == "__main__":
    raise SystemExit(main())
