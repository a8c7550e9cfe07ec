"""Intervals, and functions of them.

arithmetic  Interval: +, −, ×, ÷ and whole powers, rounded outward
ulps        how wrong XLA's functions can be
elementary  ranges of elementary functions and of their derivatives
slopes      sharp ranges of what they leave beyond a Taylor polynomial
expansions  polynomials with remainders, and what products, quotients and chains do to them
truths      comparisons that are certain or only possible, and choices that hang on them
rules       what each of JAX's primitives does to expansions
walk        a function's jaxpr, carried out on expansions
extension   interval: a function of numbers as a function of intervals
compiled    programs of which parts are kept apart
"""
