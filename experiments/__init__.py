"""One thin script for each question; `python -m experiments` lists them."""

from mvcalc_jax import interrupts

interrupts.end_on_interrupt()
