"""Newton's method: a root to the last digit, or the reason why there is none.

newton    newton: one and several variables, inside a bracket if there is one
trail     the steps, compiled once: every iterate with its value and its slope
portrait  what a function looks like about one point: a root of some order, a pole, a jump
reduced   a system where its Jacobian is all but singular, as the few equations that matter there
orders    the order of a root, by the derivatives of f
endings   why no root was found, read off the iterates
floors    where |f| has a minimum that is not zero
outcome   how a search ended: the root, its error, every step, the reason
basins    which root every start leads to
classics  functions at which the method does something worth seeing
"""
