"""Taylor polynomials: what JAX's Taylor mode computes, with the rules it lacks.

polynomial   taylor: coefficients in one variable or several, as something to call
coefficients along a line, and what rounding may have done to each
jets         power series through any function of JAX's, equation by equation
recurrences  the arithmetic of power series
elementary   the rules of elementary functions
bessel       those of Bessel functions and their like
pieces       those of functions with kinks, where they are smooth
matrices     those of linear algebra
tensors      symmetric tensors from series along directions
entire       whether a function is made of entire ones, and has no singularity
radius       how far a series converges, and the singularity that stops it
"""
