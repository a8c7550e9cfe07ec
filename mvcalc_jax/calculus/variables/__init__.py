"""Functions of several variables, and changes of variables.

point         a function of several numbers or of one vector, as a function of one vector
derivatives   partial, total and directional derivatives, Jacobians, Hessians, gradient fields
coordinates   polar, spherical and other coordinates, with their Jacobians, determinants and inverses
change        a change of variables at one point, and at many
areas         what a change of variables does to areas and volumes
matrix_chain  the chain rule with matrices, factor by factor
"""
