"""An archive that is read only, served anew for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from gateway.emulator.store import Store
from tests.contract.signed import Retrieves, archive, retrieving


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The archive, imported once."""
    store = archive(tmp_path_factory.mktemp("files"))
    yield store
    store.close()


@pytest_asyncio.fixture
async def served(files: Store) -> AsyncIterator[Retrieves]:
    """The archive, served."""
    async with retrieving(files) as found:
        yield found
