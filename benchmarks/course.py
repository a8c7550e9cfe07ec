"""The course's network in NumPy: every Jacobian by itself as the exercise has it, and all of them from one pass."""

import numpy as np

Params = list[tuple[np.ndarray, np.ndarray]]


def logistic(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def forward(params: Params, x: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
    zs, activations = [], [x]
    for W, b in params:
        zs.append(W @ activations[-1] + b)
        activations.append(logistic(zs[-1]))
    return zs, activations


def slope(z: np.ndarray) -> np.ndarray:
    return logistic(z) * (1 - logistic(z))


def one_jacobian(params: Params, x: np.ndarray, y: np.ndarray, layer: int, of_weights: bool) -> np.ndarray:
    """∂C/∂W or ∂C/∂b of one layer: a forward pass, and back from the cost to that layer."""
    zs, activations = forward(params, x)
    D = 2 * (activations[-1] - y) * slope(zs[-1])
    for l in range(len(params) - 1, layer, -1):
        D = (params[l][0].T @ D) * slope(zs[l - 1])
    J = D @ activations[layer].T if of_weights else D.sum(axis=1, keepdims=True)
    return J / x.shape[1]


def recomputing_step(params: Params, x: np.ndarray, y: np.ndarray, rate: float) -> Params:
    """A step as the exercise takes it: six functions, each of which runs the network anew."""
    J = [
        (one_jacobian(params, x, y, l, True), one_jacobian(params, x, y, l, False))
        for l in range(len(params))
    ]
    return [(W - rate * dW, b - rate * db) for (W, b), (dW, db) in zip(params, J, strict=True)]


def sharing_step(params: Params, x: np.ndarray, y: np.ndarray, rate: float) -> Params:
    """The same step from one pass forward and one back."""
    _, a = forward(params, x)
    da = 2 * (a[-1] - y) / x.shape[1]
    after = []
    for l in reversed(range(len(params))):
        W, b = params[l]
        dz = da * a[l + 1] * (1 - a[l + 1])
        after.append((W - rate * (dz @ a[l].T), b - rate * dz.sum(axis=1, keepdims=True)))
        da = W.T @ dz
    return after[::-1]
