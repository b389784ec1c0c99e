"""A DICOMweb QIDO-RS gateway for AWS HealthImaging."""
