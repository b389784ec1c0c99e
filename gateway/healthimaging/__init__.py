"""The upstream's side: the only room that talks to AWS HealthImaging."""
