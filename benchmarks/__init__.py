"""Measurements, one file for each question; `python -m benchmarks` runs them all and prints their tables."""

from mvcalc_jax import interrupts

interrupts.end_on_interrupt()
