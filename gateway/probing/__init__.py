"""Experiments on a live data store: what AWS leaves undocumented, asked of the service itself."""
