"""What intervals prove.

enclosure  taylor_enclosure: a polynomial and a band around it
tensors    the same in several variables
ranges     verified_range: bounds over a box
roots      verified_root: exactly one root, none, or cannot tell
integral   verified_integral: an integral with a proven error
rates      safe_learning_rate: steps that provably go down
boxes      boxes, many at once
"""
