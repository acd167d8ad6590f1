"""The demonstration: protocols written beforehand, run for real on the shipped models, judged, and attacked."""
