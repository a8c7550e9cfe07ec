"""Functions of a few numbers whose rules are worth watching, each with where to look at it. `rules` traces them."""

import jax
import jax.numpy as jnp
import numpy as np

FUNCTIONS = {
    "quotient": (lambda x: jnp.sin(2 * x**5 + 3 * x) / jnp.exp(7 * x), (0.5,), "sin(2x⁵ + 3x)/e⁷ˣ"),
    "chain": (lambda x: jnp.sin(x) * jnp.exp(jnp.cos(x)), (np.pi,), "sin(x) e^cos x"),
    "power": (lambda x: x**1.5 + np.pi * x**2, (2.0,), "x^(3/2) + πx²"),
    "product": (lambda x, y, z: jnp.sin(x) * jnp.exp(y * z**2), (0.5, 1.0, 0.8), "sin(x) e^(yz²)"),
    "neuron": (
        lambda w, b, x, y: (jnp.tanh(w * x + b) - y) ** 2,
        (2.3, -1.2, 0.0, 1.0),
        "(tanh(wx + b) − y)²",
    ),
    "hill": (lambda x, y: x * y**2 * jnp.exp(-(x**4) - y**2 / 2), (-1.0, 2.0), "xy² e^(−x⁴ − y²/2)"),
    "softmax": (
        lambda a, b: -jnp.log(jax.nn.softmax(jnp.stack([a, b]))[0]),
        (0.4, -0.3),
        "−ln of the first of softmax(a, b)",
    ),
    "kinks": (
        lambda x: jnp.abs(x) + jax.nn.relu(x) * x + jnp.maximum(x, 0),
        (0.0,),
        "|x| + relu(x)·x + max(x, 0)",
    ),
    "branch": (lambda x: jnp.where(x > 1, x**2, jnp.sqrt(x)), (1.0,), "x² where x > 1, else √x"),
    "loop": (
        lambda x: jax.lax.fori_loop(0, 4, lambda _, y: (y + x / y) / 2, 1.0),
        (2.0,),
        "y ← (y + x/y)/2, four times from 1, which is nearly √x",
    ),
}
"""By name: f, the point, and the formula."""
