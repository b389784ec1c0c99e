"""The service behind a prefix: the same answers, and URLs that lead back through the proxy."""

from __future__ import annotations

import re
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
import yaml

from gateway.server.forwarded import Forwarding
from gateway.server.routes import ServerOptions
from tests.http.driver import ask
from tests.http.retrieval import app_of_retrieval, listed
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


@pytest.mark.parametrize("kept", ["", "/pacs"], ids=["cut off", "left in"])
async def test_bulk_data_uri(kept: str) -> None:
    """A BulkDataURI has the client's scheme, host and prefix, and is answered behind the proxy."""
    app = app_of_retrieval(listed(), TOLD)
    metadata = f"{kept}/dicom-web/studies/1.2.1/metadata"
    told = (await ask(app, metadata, headers=PROXIED)).json
    uri = told[0]["00420011"]["BulkDataURI"]
    assert uri.startswith("https://p.test/pacs/dicom-web/studies/1.2.1/series/")
    target = kept + uri.removeprefix("https://p.test/pacs")
    assert 200 == (await ask(app, target, headers=PROXIED)).status


LEADS_TO = re.compile(r'(?:href|src|action)="([^"]+)"')
WAYS = {
    "cut off": (TOLD, PROXIED, ""),
    "left in": (TOLD, PROXIED, "/pacs"),
    "cut off, always the same": (FIXED, {}, ""),
    "left in, always the same": (FIXED, {}, "/pacs"),
}


@pytest.mark.parametrize(("options", "headers", "kept"), WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("page", ["/", "/docs", "/docs/", "/ohif", "/ohif/", "/ohif/viewer"])
async def test_links_of_pages(
    tmp_path: Path, page: str, options: ServerOptions, headers: dict[str, str], kept: str
) -> None:
    """Whatever a page leads to has the prefix, and is there: the study list, OHIF, the documents.

    A thumbnail is left out, as there is nothing to retrieve here.
    """
    (tmp_path / "index.html").write_text('<script src="/app.js"></script><link href="/app.css">')
    for name in ("app.js", "app.css"):
        (tmp_path / name).write_text("")
    app = app_over(ListedCalls([image_set(1)]), replace(options, ohif_dir=tmp_path))
    answer = await ask(app, kept + page, headers=headers)
    links = {urljoin(f"/pacs{page}", link) for link in LEADS_TO.findall(answer.body.decode())}
    assert links
    for link in links:
        assert link.startswith("/pacs/")
        target = kept + link.removeprefix("/pacs")
        if not urlsplit(target).path.endswith("/thumbnail"):
            assert 200 == (await ask(app, target, headers=headers)).status


@pytest.mark.parametrize(("options", "headers", "kept"), WAYS.values(), ids=WAYS)
async def test_paths_in_documents(
    tmp_path: Path, options: ServerOptions, headers: dict[str, str], kept: str
) -> None:
    """OHIF's configuration and the OpenAPI document name the service with the prefix."""
    (tmp_path / "index.html").touch()
    app = app_over(ListedCalls([]), replace(options, ohif_dir=tmp_path))
    config = (await ask(app, f"{kept}/ohif/app-config.js", headers=headers)).body.decode()
    assert '"routerBasename": "/pacs/ohif"' in config
    assert '"wadoRoot": "/pacs/dicom-web"' in config
    document = yaml.safe_load((await ask(app, f"{kept}/openapi.yaml", headers=headers)).body)
    assert [{"url": "/pacs/"}] == document["servers"]


async def test_another_prefix_is_not_there() -> None:
    """A path that begins with something else is 404."""
    assert 404 == (await ask(app_over(ListedCalls([]), FIXED), f"/other{STUDIES}")).status
