"""Points at which the gradient vanishes, and what the function does there.

critical    critical_points: all of them in a box, classified
survey      what many starts find of the zeros of ∇f, and what H is there
kinds       each point with its kind, and how the search ended
degenerate  what the higher orders say where the Hessian is singular
kinks       where a function has a kink, a jump or a pole
winding     how often a field turns around a closed curve
surfaces    surfaces whose critical points are known
"""
