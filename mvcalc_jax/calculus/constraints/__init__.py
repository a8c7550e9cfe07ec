"""Extrema under constraints, by multipliers.

lagrange     lagrange: all stationary points, what each is, and what the constraint costs
multipliers  where constraints are met, and where multipliers hold the gradient on them
bordered     what a stationary point is, and the price of the constraint there
constrained  the search for extrema on a constraint
extrema      what is found of them, and how the search ended
following    a constraint's curve, and a stationary point as the constraint moves
"""
