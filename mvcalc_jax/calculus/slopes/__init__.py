"""Derivatives of one variable from values of f alone, each with its own error bar.

slope          rise over run: forward and central differences, and derivatives by five methods
ladder         f seen at every scale
noise          how it is rounded, read off its ladder
estimates      a derivative with its own error bar
settling       whether slopes come together as the step shrinks: kinks, jumps and vertical tangents
extrapolation  Ridders: differences extrapolated to a step of 0
complexstep    an imaginary step, for analytic functions
analytic       is a function analytic, as it is written?
bounds         truncation, round-off, and the best step
hard           twelve functions that are hard to differentiate by differences
"""
