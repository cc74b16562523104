"""A TCP port that is far away: what passes through it arrives later, in both directions.

``python -m support.far LISTEN_HOST LISTEN_PORT HOST PORT SECONDS`` runs until its standard input ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """Pass on each piece ``delay`` seconds after it came; how many are under way does not matter."""
    loop, way = asyncio.get_running_loop(), asyncio.Queue[tuple[float, bytes]]()

    async def deliver() -> None:
        while True:
            due, data = await way.get()
            await asyncio.sleep(due - loop.time())
            if not data:
                break
            writer.write(data)
            await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()

    delivery = asyncio.ensure_future(deliver())
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            way.put_nowait((loop.time() + delay, data))
    way.put_nowait((loop.time() + delay, b""))
    with contextlib.suppress(OSError):
        await delivery


async def _serve(host: str, port: int, far: tuple[str, int], delay: float) -> None:
    async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*far)
        await asyncio.gather(_carry(reader, far_writer, delay), _carry(far_reader, writer, delay))
        for each in (writer, far_writer):
            each.close()

    async with await asyncio.start_server(welcome, host, port):
        print("up", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


def main(argv: list[str]) -> None:
    """Serve until the end of input."""
    host, port, far_host, far_port, seconds = argv
    asyncio.run(_serve(host, int(port), (far_host, int(far_port)), float(seconds)))


if __name__ == "__main__":
    main(sys.argv[1:])
