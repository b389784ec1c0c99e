"""Header lines that viewers and tools send, a field a line, and fields that they ask for."""

from __future__ import annotations

# Without Host where it is the address that is asked
XHR = "Accept: application/dicom+json\nAccept-Encoding: gzip, deflate, br, zstd"
JAVA = """Accept: text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2
User-Agent: Java/17.0.9
Connection: keep-alive"""
SESSION = """User-Agent: python-requests/2.34.2
Accept-Encoding: gzip, deflate, br
Accept: */*
Connection: keep-alive"""
# dicomweb-client of PyPI names the host without its port
PYTHON = f"""{SESSION.replace("*/*", "application/dicom+json, application/json")}
Host: 127.0.0.1"""
ADAPTER = "Accept: application/dicom+json\nAccept-Encoding: gzip\nUser-Agent: Apache-HttpClient"

# OHIF's loader of frames, by `omitQuotationForMultipartRequest`. With it, which is the default of
# the configuration that the gateway gives, a page of another origin needs no preflight
FRAMES = "Accept: multipart/related; type=application/octet-stream; transfer-syntax=*"
FRAMES_QUOTED = 'Accept: multipart/related; type="application/octet-stream"; transfer-syntax=*'
# Weasis 4: RsQueryResult and ThumbnailManager put their own Accept in the place of Java's
JAVA_DICOM, JAVA_JPEG = (
    JAVA.replace("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", accepted)
    for accepted in (
        'multipart/related;type="application/dicom";transfer-syntax=*',
        "image/jpeg",
    )
)
# dicomweb-client of PyPI, which Slicer's DICOMUtils.importFromDICOMWeb has
PYTHON_DICOM = PYTHON.replace(
    "application/dicom+json, application/json", 'multipart/related; type="application/dicom"'
)

WEASIS_SERIES = "0008103E,00080060,00081190,00200011"
