"""`make demo`: serves the weather agent and asks it two questions through the official `openai` client.

PORT says where (8000). ONCE=1 ends after the answers; otherwise it goes on serving until it is stopped.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager

import httpx
from openai import OpenAI

QUESTIONS = ("What is the weather in Lisbon?", "Do I need an umbrella there?")


def main() -> int:
    """Runs the demo; 0 if both questions were answered."""
    port = int(os.environ.get("PORT") or 8000)
    with _served(port) as server:
        ask(f"http://127.0.0.1:{port}")
        if os.environ.get("ONCE"):
            return 0
        print(f"\nServing on http://127.0.0.1:{port} until you press Ctrl-C. Try:")
        print(
            f"  curl http://127.0.0.1:{port}/responses -H 'content-type: application/json' -d '{{\"input\": \"Osaka?\"}}'"
        )
        try:
            return server.wait()
        except KeyboardInterrupt:
            return 0


def ask(base_url: str) -> None:
    """Asks the questions, each one continuing the last, and prints the answers as they come."""
    client = OpenAI(base_url=base_url, api_key="not-needed")
    previous: str | None = None
    for question in QUESTIONS:
        print(f"\n> {question}")
        with client.responses.stream(
            model="weather", input=question, previous_response_id=previous
        ) as stream:
            for event in stream:
                if event.type == "response.output_text.delta":
                    print(event.delta, end="", flush=True)
                elif event.type == "response.output_item.done" and event.item.type == "function_call":
                    print(f"[{event.item.name} {event.item.arguments}]", flush=True)
            previous = stream.get_final_response().id
        print()


@contextmanager
def _served(port: int) -> Generator[subprocess.Popen[bytes]]:
    serve = ["serve", "samples.weather:host", "--port", str(port), "--log-level", "warning"]
    command = [sys.executable, "-m", "hosting.cli", *serve]
    state = {"HOSTING_STATE_DIR": os.environ.get("HOSTING_STATE_DIR", ".hosting")}
    server = subprocess.Popen(command, env={**os.environ, **state})
    try:
        _wait_until_ready(f"http://127.0.0.1:{port}", server)
        yield server
    finally:
        server.terminate()
        server.wait()


def _wait_until_ready(base_url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if server.poll() is not None:
            raise SystemExit(f"the server ended with exit code {server.returncode}")
        try:
            if httpx.get(f"{base_url}/readiness").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise SystemExit("the server did not become ready within 20 seconds")


if __name__ == "__main__":
    raise SystemExit(main())
