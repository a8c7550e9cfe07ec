"""Intervals, and functions of them.

arithmetic   Interval: +, −, ×, ÷ and whole powers, rounded outward
balls        numbers known to rounding, by a middle and a radius
ulps         how wrong XLA's functions can be
recurrences  what all recurrences for elementary functions share
powers       exponentials, logarithms, powers and roots
circular     circular and hyperbolic functions, and their inverses
elementary   all of them by name
slopes       sharp ranges of what they leave beyond a Taylor polynomial
expansions   polynomials with remainders, and what products, quotients and chains do to them
truths       comparisons that are certain or only possible, and choices that hang on them
rules        what each of JAX's primitives does to expansions
walk         a function's jaxpr, carried out on expansions
extension    interval: a function of numbers as a function of intervals
compiled     programs of which parts are kept apart
"""
