"""The ASGI shell: routes, media types, responses, telemetry."""
