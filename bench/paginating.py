"""A bare aiobotocore paginator in a process of its own: what the gateway is compared with.

It reads a line of JSON, `{"criteria": …, "pages": N}` (0: all), walks, and answers by a line:
pages, image sets, the seconds that it took. Parser and settings are botocore's own.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session

PAGE_SIZE = 50


async def walk(client: Any, datastore_id: str, criteria: Any, pages: int) -> dict[str, float]:
    """Walk so many pages; what it took."""
    started = time.perf_counter()
    seen = image_sets = 0
    paginator = client.get_paginator("search_image_sets")
    arguments = {"datastoreId": datastore_id, "searchCriteria": criteria}
    async for page in paginator.paginate(**arguments, PaginationConfig={"PageSize": PAGE_SIZE}):
        seen += 1
        image_sets += len(page["imageSetsMetadataSummaries"])
        if seen == pages:
            break
    return {"pages": seen, "image_sets": image_sets, "wall_s": time.perf_counter() - started}


async def main(datastore_id: str) -> None:
    """Answer line by line until stdin ends."""
    config = AioConfig(inject_host_prefix=False)
    arguments = {"region_name": "us-east-1", "config": config}
    async with get_session().create_client("medical-imaging", **arguments) as client:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while line := await asyncio.to_thread(sys.stdin.readline):
            asked = json.loads(line)
            found = await walk(client, datastore_id, asked["criteria"], asked["pages"])
            sys.stdout.write(json.dumps(found) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
