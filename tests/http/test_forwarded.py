"""The service behind a prefix: the same answers, and URLs that lead back through the proxy."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from gateway.server.forwarded import Forwarding
from gateway.server.routes import ServerOptions
from tests.http.driver import ask
from tests.http.upstream import ListedCalls, app_over, image_set

STUDIES = "/dicom-web/studies"
FIXED = ServerOptions(forwarding=Forwarding(root_path="/pacs"))
TOLD = ServerOptions(forwarding=Forwarding((ip_network("127.0.0.1"),)))
PROXIED = {
    "x-forwarded-proto": "https",
    "x-forwarded-host": "p.test",
    "x-forwarded-prefix": "/pacs",
}


@pytest.mark.parametrize("target", [STUDIES, f"/pacs{STUDIES}", f"//pacs/{STUDIES}/"])
@pytest.mark.parametrize(
    ("options", "headers", "url"),
    [
        pytest.param(FIXED, {}, "http://gateway.test/pacs/dicom-web", id="root_path"),
        pytest.param(TOLD, PROXIED, "https://p.test/pacs/dicom-web", id="told"),
        pytest.param(
            ServerOptions(public_base_url="https://b.test/x", forwarding=FIXED.forwarding),
            {},
            "https://b.test/x",
            id="public_base_url wins",
        ),
    ],
)
async def test_retrieve_url(
    target: str, options: ServerOptions, headers: dict[str, str], url: str
) -> None:
    """RetrieveURL has the prefix once, whether the proxy has cut it off or not."""
    answer = await ask(app_over(ListedCalls([image_set(1)]), options), target, headers=headers)
    assert [f"{url}/studies/1.2.1"] == answer.json[0]["00081190"]["Value"]


async def test_kept_answers_keep_their_url() -> None:
    """An answer that is given again has the URLs of the client that asks now."""
    app = app_over(ListedCalls([image_set(1)]), TOLD)
    for host in ("a.test", "b.test", "a.test"):
        answer = await ask(app, STUDIES, headers={**PROXIED, "x-forwarded-host": host})
        (url,) = answer.json[0]["00081190"]["Value"]
        assert f"https://{host}/pacs/dicom-web/studies/1.2.1" == url


@pytest.mark.parametrize(
    "target", ["/dicom-web", "/healthz", "/readyz", "/metrics", "/openapi.yaml", "/docs"]
)
async def test_metrics_have_no_prefix(target: str) -> None:
    """All other resources are there too, and a prefix makes no other name in the metrics."""
    app = app_over(ListedCalls([]), TOLD)
    for prefix in ("/a", "/b"):
        headers = {**PROXIED, "x-forwarded-prefix": prefix}
        assert 200 == (await ask(app, prefix + target, headers=headers)).status
    text = (await ask(app, "/metrics")).body.decode()
    assert f'route="{target}"' in text
    assert '"/a' not in text


async def test_another_prefix_is_not_there() -> None:
    """A path that begins with something else is 404."""
    assert 404 == (await ask(app_over(ListedCalls([]), FIXED), f"/other{STUDIES}")).status
