"""The retrieve side of the standard: WADO-RS and WADO-URI requests, media types and bodies."""
