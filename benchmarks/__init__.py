"""Measurements, one file for each question; `python -m benchmarks` runs them all and prints their tables."""
