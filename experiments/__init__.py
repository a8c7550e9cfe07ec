"""One thin script for each question; `python -m experiments` lists them."""

from mvcalc_jax import early

early.end_on_interrupt()
