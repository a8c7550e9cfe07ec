"""The checker's exam: derivatives by hand, right ones and ones with a realistic mistake.

case: what a case is.
table: a case from a table of its mistakes.
layers: dense layers, gates, residual blocks, tied weights.
losses: cross-entropy, a two-layer classifier, contrastive and triplet losses.
normalisation: layer, RMS and batch norm, unit rows, cosine.
attention: softmax, masked and multi-head attention, rotary positions, embedding.
convolution: convolutions in one and two dimensions, pooling.
recurrent: a scanned network, GRU and LSTM cells.
linear_algebra: products, solve, inverse, determinants, eigenvalues, Cholesky, cross product.
likelihoods: Gaussian, mixture, Gaussian process, χ² of a peak.
regression: ridge, logistic, Poisson.
curvature: Hessians, a polynomial map, a tree of outputs.
chains: rotations, robot arm, spherical coordinates, a network, a scatter matrix.
complex_functions: holomorphic maps, Fourier transforms.
contracts: NaN, shapes, chance, another primal.
awkward_maps: elementwise functions at difficult places, all correct.
awkward_shapes: difficult arguments, all correct.
"""

from benchmarks.bugs import (
    attention,
    awkward_maps,
    awkward_shapes,
    chains,
    complex_functions,
    contracts,
    convolution,
    curvature,
    layers,
    likelihoods,
    linear_algebra,
    losses,
    normalisation,
    recurrent,
    regression,
)
from benchmarks.bugs.case import Case

_BUGGY = (
    *(layers, losses, normalisation, attention, convolution, recurrent, linear_algebra),
    *(likelihoods, regression, curvature, chains, complex_functions, contracts),
)


def cases() -> list[Case]:
    """The cases with bugs."""
    return [case for module in _BUGGY for case in module.CASES]


def controls() -> list[Case]:
    """Every correct derivative: the right ones of `cases()`, and those that are only awkward."""
    right = [Case(case.name, case.right) for case in cases()]
    return [*right, *awkward_maps.CASES, *awkward_shapes.CASES]
