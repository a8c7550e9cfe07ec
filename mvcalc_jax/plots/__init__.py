"""Pictures: arrays and Axes in, a drawing out. Nothing else in the package imports matplotlib.

Its parts, and what is in them:

    style    the look, and the way to a file
    curve    a network's attempts at a curve
    critical  critical points on the contours, by kind
    descent  costs, and paths through two parameters
    heights  a histogram and its Gaussian
    mixture  a histogram of two populations, taken apart
    ladder   methods on their way to the same optimum, and how well it is known
    fits     curves and images with what was fitted to them
    errors   errors of derivatives
    slope    secants that close on the tangent, and errors by step as a V
    lagrange extrema on a constraint, with parallel gradients
    bands    functions in proven bands, and in others
    taylor   partial sums of Taylor series, their disc, and their errors by order
    surface  a function of two variables on its contours, with its gradients, and as a surface
    coordinates  a change of variables: cells before and after
    products a product of matrices as blocks
    neuron   one neuron that learns a gate, and what depth does to gradients
    newton   tangents that walk to a root, the ways in which they fail, and the basins of roots
    check    what a check of a derivative found
    lines    fitted lines among their points, with bands
    regression  the four pictures that show what is wrong with a fit
    matrices an array by hand and by autodiff, as heat maps
    rules    a function as a graph of its steps, with local and accumulated derivatives
    sandpit  where strategies lead to in the sandpit, how often they find the phone, and ways from one start
    layers   where the nodes of such a graph are drawn
    gif      animations
    live     a picture that is redrawn while the loop runs, in a window or a browser
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
