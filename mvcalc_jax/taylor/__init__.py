"""Proven error bands by interval arithmetic in JAX."""
