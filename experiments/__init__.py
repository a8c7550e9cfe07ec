"""One thin script for each question; `python -m experiments` lists them."""
