"""Why is a derivative wrong? Causes are proposed, tried, and certified only if undoing them makes it right.

factors     values of the function that are missing in a leaf as a factor or a term
mutants     mistakes in the derivative of one step of the function
products    products of matrices in the wrong order, or of the wrong matrices
rearranged  numbers that are right, in the wrong places
repairs     what must be done to a leaf as a whole
search      all of these, the most telling cause first
seen        a leaf as it is seen at all points
spread      mistakes that several steps share
steps       which mutants lead to what was written by hand
swaps       what a step passes back instead of what it should
tape        a function step by step
variants    its backward pass, with other derivatives for some steps
words       what operations are called
workshop    what mutants are made of
"""
