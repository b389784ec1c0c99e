// OHIF 3 in front of the gateway: the app-config.js of an OHIF that is served from elsewhere.
//
// The gateway makes one like it for the OHIF that it serves itself, at /ohif/app-config.js.
// OHIF's origin has to be in the gateway's `cors_origins`, unless both have the same one.

window.config = {
  "name": "qido-gateway",

  // The path at which OHIF is served; "/" for the root of its origin.
  "routerBasename": "/",

  "extensions": [],
  "modes": [],
  "showStudyList": true,
  "maxNumberOfWebWorkers": 3,
  "showWarningMessageForCrossOrigin": true,
  "showCPUFallbackMessage": true,
  "showLoadingIndicator": true,
  "strictZSpacingForVolumeViewport": true,
  "groupEnabledModesFirst": true,

  // Requests at once. A browser has six connections to one origin by HTTP/1.1.
  "maxNumRequests": {
    "interaction": 100,
    "thumbnail": 5,
    "prefetch": 25
  },

  "defaultDataSourceName": "gateway",
  "dataSources": [
    // `qido-gateway ohif-config --url URL` prints this block.
    {
      "namespace": "@ohif/extension-default.dataSourcesModule.dicomweb",
      "sourceName": "gateway",
      "configuration": {
        "friendlyName": "qido-gateway",
        "name": "gateway",

        // The gateway's base URL, for searches, for retrieval, and for WADO-URI.
        "qidoRoot": "https://pacs.example.org/dicom-web",
        "wadoRoot": "https://pacs.example.org/dicom-web",
        "wadoUriRoot": "https://pacs.example.org/dicom-web",

        "imageRendering": "wadors",
        "thumbnailRendering": "wadors",

        // Metadata by series, as they are needed.
        "enableStudyLazyLoad": true,

        // OHIF filters again what it is given, without regard to how a name sounds.
        "supportsFuzzyMatching": false,

        "supportsWildcard": true,

        // Without quotes in Accept, no frame costs another origin a preflight.
        "omitQuotationForMultipartRequest": true,

        "bulkDataURI": {
          "enabled": true
        }
      }
    }
  ]
};
