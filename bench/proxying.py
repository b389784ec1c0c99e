"""A bare signing proxy in a process of its own: what the gateway's frames are compared with.

`python bench/proxying.py ENDPOINT DATASTORE_ID` serves the data store's DICOMweb on a port of
aiohttp's choice, signs each request and gives each piece of the answer on as it comes. It looks
at nothing and knows no faults. Its event loop is the gateway's.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import uvloop
from aiohttp import ClientSession, TCPConnector, web

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from bench.signing import signed

KEPT = ("Content-Type", "Content-Length")


async def main(upstream: str) -> None:
    """Serve until the process is ended."""
    async with ClientSession(connector=TCPConnector(limit=0), auto_decompress=False) as session:

        async def forward(request: web.Request) -> web.StreamResponse:
            url = upstream + request.raw_path
            async with session.get(url, headers=signed(url, request.headers["Accept"])) as got:
                headers = {name: got.headers[name] for name in KEPT if name in got.headers}
                answer = web.StreamResponse(status=got.status, headers=headers)
                await answer.prepare(request)
                async for piece in got.content.iter_any():
                    await answer.write(piece)
                await answer.write_eof()
                return answer

        app = web.Application()
        app.router.add_get("/{path:.*}", forward)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        sys.stdout.write(f"ready http://{host}:{port}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(f"{sys.argv[1]}/datastore/{sys.argv[2]}"))
