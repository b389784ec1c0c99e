"""How a client reached the proxy in front: the scheme, host and prefix of the URLs in answers.

A header is believed only from a peer that the operator trusts, and of a list only its last
element: that one the peer has written itself. What stands before it was in the request as the
peer got it, and whoever sent that may have made it up. One family of headers is read and never
the other, for a proxy that writes one passes the other on as its client sent it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Literal

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.server.paths import HOST, ROOT

Network = IPv4Network | IPv6Network
Family = Literal["x-forwarded", "forwarded"]

MAX_LENGTH = 255
"""Characters of a host or a prefix."""

_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]+)+")
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
# A parameter of an element, or none, and what ends it. Source: RFC 7239 §4.
_PAIR = re.compile(
    rf'[ \t]*+(?:(?P<name>{_WORD})=(?:(?P<token>{_WORD})|"(?P<quoted>(?:[^"\\]|\\.)*)"))?'
    r"[ \t]*+(?P<end>[;,]|\Z)"
)
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Forwarding:
    """Which peers are believed, by which headers; and the prefix, where it is always the same.

    `root_path` is without a slash at its end, "" for none; with one, no header tells the prefix.
    """

    trusted: tuple[Network, ...] = ()
    family: Family = "x-forwarded"
    root_path: str = ""


DIRECT = Forwarding()
"""Without a proxy: nobody is believed."""


@dataclass(frozen=True, slots=True)
class _Told:
    """What the headers tell, each as it was sent; None where they don't."""

    scheme: str | None = None
    host: str | None = None
    prefix: str | None = None


class ForwardedRequests:
    """Middleware: the scope's scheme, host and root path are those that the client has used.

    What is not of the right form is passed over, and the request's own stands.
    """

    def __init__(self, app: ASGIApp, forwarding: Forwarding) -> None:
        self._app, self._forwarding = app, forwarding

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request as it was sent to the proxy."""
        if scope["type"] == "http":
            scope = self._as_sent(scope)
        await self._app(scope, receive, send)

    def _as_sent(self, scope: Scope) -> Scope:
        told = _Told()
        if _is_trusted(scope, self._forwarding.trusted):
            read = _forwarded if self._forwarding.family == "forwarded" else _x_forwarded
            told = read(Headers(scope=scope))
        changed: dict[str, object] = {}
        if (scheme := (told.scheme or "").lower()) in ("http", "https"):
            changed["scheme"] = scheme
        if (host := told.host) and len(host) <= MAX_LENGTH and HOST.fullmatch(host):
            others = [pair for pair in scope["headers"] if pair[0] != b"host"]
            changed["headers"] = [(b"host", host.encode("ascii")), *others]
        if prefix := self._forwarding.root_path or valid_prefix(told.prefix or ""):
            # The path of ASGI begins with the root path, whether or not the proxy has cut it off
            changed["root_path"] = prefix
            changed["path"] = prefix + _below(scope["path"], prefix)
        return {**scope, **changed} if changed else scope


def valid_prefix(text: str) -> str | None:
    """The prefix without a slash at its end, "" for none; None where `text` is not one."""
    prefix = text.rstrip("/")
    if not prefix:
        return ""
    good = len(prefix) <= MAX_LENGTH and _PREFIX.fullmatch(prefix)
    return prefix if good and not {".", ".."} & set(prefix.split("/")) else None


def _below(path: str, prefix: str) -> str:
    """`path` without the prefix, which it has if the proxy kept it."""
    rest = path.removeprefix(prefix)
    if len(rest) == len(path) or rest[:1] not in ("", "/"):
        return path
    # A prefix may be called like the service's own root: then that is what stands there
    return path if _is_service(path) and not _is_service(rest) else rest or "/"


def _is_service(path: str) -> bool:
    return path == ROOT or path.startswith(ROOT + "/")


def _is_trusted(scope: Scope, trusted: tuple[Network, ...]) -> bool:
    try:
        peer = ip_address((scope.get("client") or ("",))[0])
    except ValueError:
        return False
    if isinstance(peer, IPv6Address) and peer.ipv4_mapped:
        peer = peer.ipv4_mapped  # as a socket for both families names an IPv4 peer
    return any(peer in network for network in trusted)


def _x_forwarded(headers: Headers) -> _Told:
    scheme, host, prefix = (_last(headers, f"x-forwarded-{n}") for n in ("proto", "host", "prefix"))
    return _Told(scheme, host, prefix)


def _last(headers: Headers, name: str) -> str | None:
    fields = headers.getlist(name)
    return fields[-1].rpartition(",")[2].strip() if fields else None


def _forwarded(headers: Headers) -> _Told:
    """The last element, which has no prefix; nothing where the field is not of RFC 7239's form."""
    fields = headers.getlist("forwarded")
    pairs = _last_element(fields[-1]) if fields else {}
    return _Told(pairs.get("proto"), pairs.get("host"))


def _last_element(field: str) -> dict[str, str]:
    """The last element's parameters; none where any part of the field is wrong.

    The whole field is read: a comma in a quoted text separates nothing.
    """
    pairs: dict[str, str] = {}
    at = 0
    while found := _PAIR.match(field, at):
        if name := (found["name"] or "").lower():
            if name in pairs:
                return {}
            quoted = found["quoted"]
            pairs[name] = found["token"] if quoted is None else _ESCAPED.sub(r"\1", quoted)
        if not found["end"]:
            return pairs
        if found["end"] == ",":
            pairs = {}
        at = found.end()
    return {}
