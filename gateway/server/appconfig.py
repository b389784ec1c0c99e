"""What OHIF 3 is told of the gateway: the block of a data source, and a whole app-config."""

from __future__ import annotations

import json
from typing import Any

SOURCE = "gateway"
"""The name of the data source, which stands in OHIF's paths as well."""

INDEX = "index.html"
"""The file by which a folder is known to hold OHIF, and the answer to each of its routes."""


def data_source(root: str) -> dict[str, Any]:
    """The block of `dataSources` that makes OHIF read from the gateway at `root`.

    `root` is the base URL of the gateway, or its path where OHIF has the same origin.
    """
    return {
        "namespace": "@ohif/extension-default.dataSourcesModule.dicomweb",
        "sourceName": SOURCE,
        "configuration": {
            "friendlyName": "qido-gateway",
            "name": SOURCE,
            "qidoRoot": root,
            "wadoRoot": root,
            "wadoUriRoot": root,
            "imageRendering": "wadors",
            "thumbnailRendering": "wadors",
            "enableStudyLazyLoad": True,
            # OHIF filters again what it is given, without regard to how a name sounds
            "supportsFuzzyMatching": False,
            "supportsWildcard": True,
            # Quotes in Accept would cost another origin a preflight for each frame
            "omitQuotationForMultipartRequest": True,
            "bulkDataURI": {"enabled": True},
        },
    }


def app_config(root: str, router_basename: str) -> dict[str, Any]:
    """The configuration of an OHIF that is served at `router_basename`, such as `/ohif`."""
    return {
        "name": "qido-gateway",
        "routerBasename": router_basename,
        "extensions": [],
        "modes": [],
        "showStudyList": True,
        "maxNumberOfWebWorkers": 3,
        "showWarningMessageForCrossOrigin": True,
        "showCPUFallbackMessage": True,
        "showLoadingIndicator": True,
        "strictZSpacingForVolumeViewport": True,
        "groupEnabledModesFirst": True,
        "maxNumRequests": {"interaction": 100, "thumbnail": 5, "prefetch": 25},
        "defaultDataSourceName": SOURCE,
        "dataSources": [data_source(root)],
    }


def app_config_js(root: str, router_basename: str) -> str:
    """The same as the script that OHIF loads, `app-config.js`."""
    return f"window.config = {json.dumps(app_config(root, router_basename), indent=2)};\n"
