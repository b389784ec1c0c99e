"""The law of variants over real HTTP: aiobotocore, the wire, and any two switches together."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.emulator.store import Store
from gateway.emulator.variants import CHOICES, Variants
from gateway.emulator.wire import create_app
from gateway.healthimaging.client import HealthImagingClient
from tests.contract.serving import running
from tests.laws.covering import covering_array
from tests.laws.dataset import image_sets, questions
from tests.laws.harness import DATASTORE_ID, Gateway
from tests.laws.oracle import World, answer
from tests.laws.test_variants import options_for

POSITIONS: list[Any] = [Variants(**row) for row in covering_array(CHOICES, 2)]


@pytest.mark.parametrize("number", range(len(POSITIONS)))
async def test_no_choice_changes_an_answer_over_http(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every position of a pairwise array a third of the questions is answered right."""
    variants: Variants = POSITIONS[number]
    world = World(image_sets(), counts_are_the_studys=variants.counts == "study")
    store = Store(None, variants, DATASTORE_ID)
    store.add_summaries(image_sets())
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    async with running(create_app(store)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_MEDICAL_IMAGING", url)
        client = HealthImagingClient(DATASTORE_ID, "us-east-1", inject_host_prefix=False)
        gateway = Gateway(client, options_for(variants))
        for asked in questions()[number % 3 :: 3]:
            body, _ = await gateway.ask(asked)
            assert answer(world, asked) == json.loads(body), (variants, asked)
        await client.aclose()
    store.close()
