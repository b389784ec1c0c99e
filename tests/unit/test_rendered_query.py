"""The parameters of rendering and of WADO-URI: what is read of each, and what is refused."""

from __future__ import annotations

import pytest

from gateway.errors import QueryError
from gateway.wado.rendered import Rendering, WantedViewport, WantedWindow, parse_rendering
from gateway.wado.requests import Target
from gateway.wado.uri import UriRequest, is_wado_uri, parse_uri

READ = {
    "nothing": (b"", Rendering()),
    "what is none of its parameters": (b"accept=image/png&includefield=all&x", Rendering()),
    "a window": (b"window=40,400,linear", Rendering(window=WantedWindow(40, 400))),
    "a window without a function": (b"window=40,400", Rendering(window=WantedWindow(40, 400))),
    "a window, percent-encoded": (
        b"window=-0.5%2C1e3%2CSigmoid",
        Rendering(window=WantedWindow(-0.5, 1000, "SIGMOID")),
    ),
    "a linear-exact window narrower than 1": (
        b"window=.5,.25,linear-exact",
        Rendering(window=WantedWindow(0.5, 0.25, "LINEAR_EXACT")),
    ),
    "a plus that arrives as a space": (
        b"window=+40,400,linear",
        Rendering(window=WantedWindow(40, 400)),
    ),
    "a viewport": (b"viewport=256%2C128", Rendering(viewport=WantedViewport(256, 128))),
    "a viewport with its region": (
        b"viewport=256,128,10,20.5,-30,-40",
        Rendering(viewport=WantedViewport(256, 128, 10, 20.5, -30, -40)),
    ),
    "a region of which parts are left out": (
        b"viewport=256,128,,20,,",
        Rendering(viewport=WantedViewport(256, 128, 0, 20, None, None)),
    ),
    "the whole side of a viewport": (
        b"viewport=8192,1",
        Rendering(viewport=WantedViewport(8192, 1)),
    ),
    "a quality": (b"quality=100", Rendering(quality=100)),
    "the same twice": (b"quality=7&quality=7", Rendering(quality=7)),
    "annotations": (b"annotation=patient,technique", Rendering(ignored=("annotation",))),
    "no profile": (b"iccprofile=no", Rendering()),
    "a profile": (b"iccprofile=adobergb", Rendering(ignored=("iccprofile",))),
}


@pytest.mark.parametrize(("query", "expected"), READ.values(), ids=READ)
def test_what_is_read(query: bytes, expected: Rendering) -> None:
    """Each parameter by PS3.18 §8.3.5."""
    assert expected == parse_rendering(query)


REFUSED = {
    "an empty window": (b"window=", "window"),
    "a window of one number": (b"window=40", "window"),
    "a window of four parts": (b"window=40,400,linear,1", "window"),
    "a window of no numbers": (b"window=a,b,linear", "window"),
    "a window that is not finite": (b"window=inf,400,linear", "window"),
    "a window that is no number": (b"window=nan,400,linear", "window"),
    "a window beyond any value": (b"window=1e300,400,linear", "window"),
    "an Arabic number": ("window=٤,400,linear".encode(), "window"),
    "an unknown function": (b"window=40,400,cubic", "window"),
    "an empty function": (b"window=40,400,", "window"),
    "a linear width below 1": (b"window=40,0.5,linear", "window"),
    "a width of 0": (b"window=40,0,sigmoid", "window"),
    "two windows": (b"window=40,400,linear&window=1,2,linear", "window"),
    "an empty viewport": (b"viewport=", "viewport"),
    "a viewport of one number": (b"viewport=256", "viewport"),
    "a viewport of seven": (b"viewport=1,2,3,4,5,6,7", "viewport"),
    "a viewport of nothing": (b"viewport=0,10", "viewport"),
    "a viewport that is mirrored": (b"viewport=-10,10", "viewport"),
    "a viewport of half pixels": (b"viewport=10.5,10", "viewport"),
    "a viewport that is too wide": (b"viewport=8193,10", "viewport"),
    "a viewport of many digits": (b"viewport=" + b"9" * 5000 + b",1", "viewport"),
    "a region before the image": (b"viewport=10,10,-1,0,5,5", "viewport"),
    "a region of nothing": (b"viewport=10,10,0,0,0,5", "viewport"),
    "a region of words": (b"viewport=10,10,a,b,c,d", "viewport"),
    "a quality of 0": (b"quality=0", "quality"),
    "a quality of 101": (b"quality=101", "quality"),
    "a quality with a fraction": (b"quality=9.5", "quality"),
    "a quality without a value": (b"quality", "quality"),
    "an unknown annotation": (b"annotation=patient,weather", "annotation"),
    "an empty annotation": (b"annotation=", "annotation"),
    "an unknown profile": (b"iccprofile=cmyk", "iccprofile"),
}


@pytest.mark.parametrize(("query", "parameter"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(query: bytes, parameter: str) -> None:
    """The parameter is named, its value is not."""
    with pytest.raises(QueryError) as raised:
        parse_rendering(query)
    assert parameter == raised.value.parameter
    assert "weather" not in str(raised.value)


UIDS = b"requestType=WADO&studyUID=1.2&seriesUID=1.2.3&objectUID=1.2.3.4"
TARGET = Target("1.2", "1.2.3", "1.2.3.4")
URI_READ = {
    "the three UIDs": (b"", UriRequest(TARGET)),
    "Weasis' file": (
        b"&contentType=application%2Fdicom&transferSyntax=1.2.840.10008.1.2.4.70",
        UriRequest(TARGET, "application/dicom", "1.2.840.10008.1.2.4.70"),
    ),
    "any transfer syntax": (b"&transferSyntax=*", UriRequest(TARGET, transfer_syntax="*")),
    "an empty transfer syntax": (b"&transferSyntax=", UriRequest(TARGET)),
    "a frame": (b"&frameNumber=3", UriRequest(TARGET, frame_number=3)),
    "no anonymizing": (b"&anonymize=no", UriRequest(TARGET)),
    "a size": (
        b"&rows=64&columns=32",
        UriRequest(TARGET, rendering=Rendering(viewport=WantedViewport(32, 64))),
    ),
    "a height": (
        b"&rows=64",
        UriRequest(TARGET, rendering=Rendering(viewport=WantedViewport(None, 64))),
    ),
    "a region": (
        b"&region=0.25,0.5,0.75,1",
        UriRequest(
            TARGET,
            rendering=Rendering(
                viewport=WantedViewport(None, None, 0.25, 0.5, 0.5, 0.5, is_relative=True)
            ),
        ),
    ),
    "a window": (
        b"&windowWidth=400&windowCenter=-40",
        UriRequest(TARGET, rendering=Rendering(window=WantedWindow(-40, 400))),
    ),
    "a quality": (b"&imageQuality=1", UriRequest(TARGET, rendering=Rendering(quality=1))),
    "a presentation state": (
        b"&presentationUID=1.2&presentationSeriesUID=1.3",
        UriRequest(
            TARGET, rendering=Rendering(ignored=("presentationUID", "presentationSeriesUID"))
        ),
    ),
}


@pytest.mark.parametrize(("more", "expected"), URI_READ.values(), ids=URI_READ)
def test_what_wado_uri_reads(more: bytes, expected: UriRequest) -> None:
    """Each parameter by PS3.18 §9."""
    assert expected == parse_uri(UIDS + more)


URI_REFUSED = {
    "no request type": (b"studyUID=1.2&seriesUID=1.2&objectUID=1.2", "requestType"),
    "another request type": (UIDS.replace(b"WADO", b"wado"), "requestType"),
    "no study": (UIDS.replace(b"studyUID", b"study"), "studyUID"),
    "no series": (UIDS.replace(b"seriesUID", b"series"), "seriesUID"),
    "no object": (UIDS.replace(b"objectUID", b"object"), "objectUID"),
    "an object that is no UID": (UIDS + b"x", "objectUID"),
    "two studies": (UIDS + b"&studyUID=1.3", "studyUID"),
    "anonymizing": (UIDS + b"&anonymize=yes", "anonymize"),
    "a frame 0": (UIDS + b"&frameNumber=0", "frameNumber"),
    "a frame that is no number": (UIDS + b"&frameNumber=first", "frameNumber"),
    "a transfer syntax that is no UID": (UIDS + b"&transferSyntax=jpeg", "transferSyntax"),
    "a transfer syntax with a gap": (UIDS + b"&transferSyntax=1..2", "transferSyntax"),
    "no rows": (UIDS + b"&rows=0", "rows"),
    "too many columns": (UIDS + b"&columns=8193", "columns"),
    "half a window": (UIDS + b"&windowWidth=400", "windowWidth"),
    "a width of 0": (UIDS + b"&windowCenter=1&windowWidth=0", "windowWidth"),
    "a region of three": (UIDS + b"&region=0,0,1", "region"),
    "a region from right to left": (UIDS + b"&region=1,0,0,1", "region"),
    "a region beyond the image": (UIDS + b"&region=0,0,2,1", "region"),
    "a quality of 101": (UIDS + b"&imageQuality=101", "imageQuality"),
}


@pytest.mark.parametrize(("query", "parameter"), URI_REFUSED.values(), ids=URI_REFUSED)
def test_what_wado_uri_refuses(query: bytes, parameter: str) -> None:
    """The parameter is named as the client has named it."""
    with pytest.raises(QueryError) as raised:
        parse_uri(query)
    assert parameter == raised.value.parameter


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (b"requestType=WADO", True),
        (b"a=b&requestType=", True),
        (b"", False),
        (b"x=requestType", False),
        (b"requesttype=WADO", False),
    ],
)
def test_what_is_wado_uri(query: bytes, expected: bool) -> None:
    """What names the type of its request, in the standard's spelling."""
    assert expected == is_wado_uri(query)
