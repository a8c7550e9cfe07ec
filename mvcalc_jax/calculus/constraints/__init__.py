"""Extrema under constraints, by multipliers.

lagrange     lagrange: all stationary points, what each is, and what the constraint costs
multipliers  where constraints are met, and where multipliers hold the gradient on them
bordered     what a stationary point is, and the price of the constraint there
flat         the same where second order is silent, by walking
resolved     which solutions hold to rounding
creases      where f has a kink along the constraint
judging      a verdict on each solution, and one for each family
constrained  the search for extrema on a constraint
extrema      what is found of them, and how the search ended
following    a constraint's curve, and a stationary point as the constraint moves
"""
