"""Points at which the gradient vanishes, and what the function does there.

critical    critical_points: all of them in a box, classified
given       the function, its derivatives and the box, looked at before any search
survey      what many starts find of the zeros of ∇f, and what H is there
zeros       whether the gradient is zero at a point, as far as its rounding tells
conclusion  how the search went, and how sure it is that nothing was missed
kinds       each point with its kind, and how the search ended
degenerate  what the higher orders say where the Hessian is singular
kinks       where a function has a kink, a jump or a pole
onesided    whether the Hessian is the same from every side
winding     how often a field turns around a closed curve
surfaces    surfaces whose critical points are known
"""
