"""The rows of the bench, in the order of its table."""

from __future__ import annotations

from bench.rows import (
    clients,
    cpu,
    first,
    frames,
    lookups,
    memory,
    offset,
    orthanc,
    ready,
    series,
    stream,
    viewer,
    walls,
)
from bench.table import Row

ROWS: tuple[Row, ...] = (
    cpu.ROW,
    walls.WALL,
    walls.QUOTA,
    first.ROW,
    offset.ROW,
    clients.ROW,
    lookups.ROW,
    memory.ROW,
    orthanc.ROW,
    frames.ROW,
    series.ROW,
    stream.ROW,
    viewer.ROW,
    ready.ROW,
)
