"""The emulator: a local HealthImaging, and the gateway's independent witness.

It shares no matching, grouping or planning with the gateway.
"""
