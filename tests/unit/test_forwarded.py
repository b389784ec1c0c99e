"""Whose word is taken for how a client reached the proxy, and what of it."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_network
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from gateway.server.forwarded import ForwardedRequests, Forwarding, valid_prefix
from gateway.server.paths import own_path, service_url

OWN = "http://gw.test:8042/dicom-web"
TRUSTED = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
X_FORWARDED = Forwarding(TRUSTED)
FORWARDED = Forwarding(TRUSTED, "forwarded")

Fields = Sequence[tuple[str, str]]


async def passed(
    forwarding: Forwarding,
    fields: Fields = (),
    path: str = "/dicom-web/studies",
    client: tuple[str, int] | None = ("10.0.0.7", 40000),
    kind: str = "http",
) -> Scope:
    """The scope that the application gets of a request."""
    got: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        got.append(scope)

    async def receive() -> Any:
        raise AssertionError("nothing is read")

    async def send(message: Any) -> None:
        raise AssertionError("nothing is sent")

    headers = [("host", "gw.test:8042"), ("accept", "*/*"), *fields]
    scope = {
        "type": kind,
        "scheme": "http",
        "path": path,
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
        "server": ("127.0.0.1", 8042),
        "client": client,
    }
    await ForwardedRequests(app, forwarding)(scope, receive, send)
    return got[0]


async def url_of(forwarding: Forwarding, *fields: tuple[str, str], **more: Any) -> str:
    """The service's URL in the answer to a request."""
    return service_url(await passed(forwarding, fields, **more), None)


PROTO, HOST, PREFIX = "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Prefix"

TAKEN = {
    "nothing": ([], OWN),
    "all three": (
        [(PROTO, "https"), (HOST, "p.test"), (PREFIX, "/pacs")],
        "https://p.test/pacs/dicom-web",
    ),
    "scheme alone": ([(PROTO, "https")], "https://gw.test:8042/dicom-web"),
    "scheme in capitals": ([(PROTO, "HTTPS")], "https://gw.test:8042/dicom-web"),
    "host with a port": ([(HOST, "p.test:8443")], "http://p.test:8443/dicom-web"),
    "host of a container": ([(HOST, "qido_gateway:81")], "http://qido_gateway:81/dicom-web"),
    "host of IPv6": ([(HOST, "[2001:db8::1]:81")], "http://[2001:db8::1]:81/dicom-web"),
    "prefix of two parts": (
        [(PREFIX, "/a/b.c~d_e-1")],
        "http://gw.test:8042/a/b.c~d_e-1/dicom-web",
    ),
    "prefix with a slash behind": ([(PREFIX, "/pacs/")], "http://gw.test:8042/pacs/dicom-web"),
    "prefix that is none": ([(PREFIX, "/")], OWN),
    "last of a list": ([(HOST, "evil.test, p.test")], "http://p.test/dicom-web"),
    "last of several fields": (
        [(HOST, "evil.test"), (HOST, "worse.test, p.test")],
        "http://p.test/dicom-web",
    ),
    "last of each list": (
        [(PROTO, "http,https"), (PREFIX, "/evil , /pacs")],
        "https://gw.test:8042/pacs/dicom-web",
    ),
}

REFUSED = {
    "other scheme": [(PROTO, "ftp")],
    "scheme with more": [(PROTO, "https://evil.test")],
    "host with a path": [(HOST, "evil.test/x")],
    "host with a user": [(HOST, "a@evil.test")],
    "host with a space": [(HOST, "evil.test x")],
    "host outside ASCII": [(HOST, "évil.test")],
    "host that is too long": [(HOST, "a" * 300)],
    "host that is empty": [(HOST, "")],
    "last is empty": [(HOST, "evil.test,")],
    "prefix without a slash": [(PREFIX, "evil")],
    "prefix as a host": [(PREFIX, "//evil.test")],
    "prefix that climbs": [(PREFIX, "/a/../../evil")],
    "prefix with a query": [(PREFIX, "/a?b")],
    "prefix with an escape": [(PREFIX, "/a%2f")],
    "prefix with markup": [(PREFIX, "/<script>")],
    "prefix that is too long": [(PREFIX, "/" + "a" * 300)],
    "the other family": [("Forwarded", "host=evil.test;proto=https")],
    "other names": [("X-Forwarded-For", "10.0.0.1"), ("X-Forwarded-Server", "evil.test")],
}


@pytest.mark.parametrize(("fields", "url"), TAKEN.values(), ids=TAKEN)
async def test_x_forwarded(fields: Fields, url: str) -> None:
    """What a trusted proxy tells stands in the URL; of lists, what it has added itself."""
    assert url == await url_of(X_FORWARDED, *fields)


@pytest.mark.parametrize("fields", REFUSED.values(), ids=REFUSED)
async def test_x_forwarded_refused(fields: Fields) -> None:
    """What is not of the right form, or not of the family, is passed over."""
    assert OWN == await url_of(X_FORWARDED, *fields)


async def test_one_wrong_value_spoils_no_other() -> None:
    """Each of the three is taken by itself."""
    fields = [(PROTO, "https"), (HOST, "a b"), (PREFIX, "/pacs")]
    assert "https://gw.test:8042/pacs/dicom-web" == await url_of(X_FORWARDED, *fields)


RFC_TAKEN = {
    "both": ("proto=https;host=p.test", "https://p.test/dicom-web"),
    "names in capitals": ("Proto=HTTPS;HOST=p.test", "https://p.test/dicom-web"),
    "quoted": ('for="[::1]:5";host="p.test:8443"', "http://p.test:8443/dicom-web"),
    "escaped": (r'host="p\.test"', "http://p.test/dicom-web"),
    "spaces": ("proto=https ; host=p.test", "https://p.test/dicom-web"),
    "last element": ("host=evil.test;proto=https, host=p.test", "http://p.test/dicom-web"),
    "comma in quotes": ('for="a,host=evil.test";proto=https', "https://gw.test:8042/dicom-web"),
    "semicolon in quotes": ('by="x;host=evil.test"', OWN),
    "no parameter of ours": ("for=192.0.2.1;by=_x", OWN),
    "empty": ("", OWN),
    "a list that ends empty": ("host=evil.test,", OWN),
}

RFC_REFUSED = {
    "quote that is open": 'host="evil.test',
    "quote that swallows what the proxy adds": 'host=evil.test;by=", for=192.0.2.1;host=p.test',
    "quote that ends in it": 'host=evil.test;by=", for="[::1]";host=p.test',
    "port without quotes": "host=evil.test:81",
    "twice": "host=a.test;host=evil.test",
    "no value": "host=;proto=https",
    "no name": "=evil.test",
    "space in a pair": "host = evil.test",
    "other text": "<script>",
    "scheme": "proto=javascript",
    "host": 'host="evil.test/x"',
    "many spaces": " " * 60_000 + "?",
}


@pytest.mark.parametrize(("field", "url"), RFC_TAKEN.values(), ids=RFC_TAKEN)
async def test_forwarded(field: str, url: str) -> None:
    """RFC 7239: the last element's proto and host."""
    assert url == await url_of(FORWARDED, ("Forwarded", field))


@pytest.mark.parametrize("field", RFC_REFUSED.values(), ids=RFC_REFUSED)
async def test_forwarded_refused(field: str) -> None:
    """A field that is not of RFC 7239's form tells nothing."""
    assert OWN == await url_of(FORWARDED, ("Forwarded", field))


async def test_forwarded_is_one_family() -> None:
    """Where Forwarded is read, X-Forwarded-… is not, not even the prefix; the last field counts."""
    fields = [(PROTO, "https"), (HOST, "evil.test"), (PREFIX, "/evil")]
    assert OWN == await url_of(FORWARDED, *fields)
    fields = [("Forwarded", 'host="evil.test'), ("Forwarded", "host=p.test")]
    assert "http://p.test/dicom-web" == await url_of(FORWARDED, *fields)


# --- whose word -----------------------------------------------------------------------------------

PEERS = {
    "in the network": (("10.255.0.1", 1), True),
    "IPv4 on a socket for both": (("::ffff:10.0.0.1", 1), True),
    "in the network of IPv6": (("fd00::1", 1), True),
    "outside": (("11.0.0.1", 1), False),
    "outside, on a socket for both": (("::ffff:11.0.0.1", 1), False),
    "loopback": (("127.0.0.1", 1), False),
    "a name": (("testclient", 1), False),
    "nobody": (None, False),
}


@pytest.mark.parametrize(("client", "is_taken"), PEERS.values(), ids=PEERS)
async def test_peers(client: tuple[str, int] | None, is_taken: bool) -> None:
    """Only who connects counts, and no header tells who that is."""
    fields = [(HOST, "p.test"), ("X-Forwarded-For", "10.0.0.1")]
    expected = "http://p.test/dicom-web" if is_taken else OWN
    assert expected == await url_of(X_FORWARDED, *fields, client=client)


async def test_nobody_is_trusted_unless_told() -> None:
    """A root path makes no header believed."""
    fields = [(PROTO, "https"), (HOST, "evil.test"), (PREFIX, "/evil")]
    url = await url_of(Forwarding(root_path="/pacs"), *fields)
    assert "http://gw.test:8042/pacs/dicom-web" == url


# --- prefixes -------------------------------------------------------------------------------------

PATHS = {
    "cut off": ("/pacs", "/dicom-web/studies", "/dicom-web/studies"),
    "kept": ("/pacs", "/pacs/dicom-web/studies", "/dicom-web/studies"),
    "kept, of two parts": ("/a/b", "/a/b/dicom-web", "/dicom-web"),
    "kept, another resource": ("/pacs", "/pacs/healthz", "/healthz"),
    "kept, nothing behind": ("/pacs", "/pacs", "/"),
    "beginning of another word": ("/pac", "/pacs/dicom-web", "/pacs/dicom-web"),
    "called like the service, cut off": ("/dicom-web", "/dicom-web/studies", "/dicom-web/studies"),
    "called like the service, kept": (
        "/dicom-web",
        "/dicom-web/dicom-web/studies",
        "/dicom-web/studies",
    ),
    "twice in the path": ("/pacs", "/pacs/pacs/dicom-web", "/pacs/dicom-web"),
}


@pytest.mark.parametrize(("prefix", "path", "own"), PATHS.values(), ids=PATHS)
@pytest.mark.parametrize("is_fixed", [True, False], ids=["fixed", "told"])
async def test_prefix(prefix: str, path: str, own: str, is_fixed: bool) -> None:
    """The prefix may be cut off or kept: routes see the same path, and URLs have it once."""
    if is_fixed:
        scope = await passed(Forwarding(root_path=prefix), path=path)
    else:
        scope = await passed(X_FORWARDED, [(PREFIX, prefix)], path=path)
    assert (prefix, prefix + own, own) == (scope["root_path"], scope["path"], own_path(scope))
    assert f"http://gw.test:8042{prefix}/dicom-web" == service_url(scope, None)


async def test_fixed_prefix_is_fixed() -> None:
    """With a root path, a trusted proxy's prefix is not read; its host is."""
    forwarding = Forwarding(TRUSTED, root_path="/pacs")
    url = await url_of(forwarding, (PREFIX, "/other"), (HOST, "p.test"))
    assert "http://p.test/pacs/dicom-web" == url


async def test_public_base_url_wins() -> None:
    """A base URL that the operator gives is the one in answers, whatever is told."""
    scope = await passed(X_FORWARDED, [(HOST, "p.test"), (PREFIX, "/pacs")])
    assert "https://b.test/x" == service_url(scope, "https://b.test/x")


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        ("", ""),
        ("/", ""),
        ("/a/", "/a"),
        ("/a//b", None),
        ("a", None),
        ("/.", None),
        ("/a\n", None),
    ],
)
def test_valid_prefix(text: str, prefix: str | None) -> None:
    """A prefix ends without a slash."""
    assert prefix == valid_prefix(text)


@pytest.mark.parametrize(
    ("server", "url"),
    [
        (("10.0.0.1", 8042), "http://10.0.0.1:8042/dicom-web"),
        (("::1", 8042), "http://[::1]:8042/dicom-web"),
        (None, "http://localhost/dicom-web"),
    ],
    ids=["IPv4", "IPv6 in brackets", "not known"],
)
def test_without_a_host(server: tuple[str, int | None] | None, url: str) -> None:
    """Where a request names no host, the URL has the address that it came to."""
    assert url == service_url({"headers": [], "server": server}, None)


async def test_other_headers_stay() -> None:
    """Only Host is another one, and there is one of it; what is not HTTP passes."""
    scope = await passed(X_FORWARDED, [(HOST, "p.test"), ("X-Request-ID", "a")])
    names = [name for name, _ in scope["headers"]]
    assert [b"host", b"accept", b"x-forwarded-host", b"x-request-id"] == names
    lifespan = await passed(X_FORWARDED, [(HOST, "p.test")], kind="lifespan")
    assert OWN == service_url(lifespan, None)
