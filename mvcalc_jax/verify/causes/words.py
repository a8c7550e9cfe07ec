"""What the operations of a function are called when a person reads of them."""

from mvcalc_jax.verify.causes.tape import Step, Tape

DERIVATIVES = {
    "tanh": "tanh′", "logistic": "the derivative of the sigmoid", "exp": "the derivative of the exponential",
    "exp2": "the derivative of 2ˣ", "log": "1/x, the derivative of the logarithm,",
    "log1p": "1/(1 + x), the derivative of log1p,", "expm1": "the derivative of expm1",
    "sin": "the cosine, the derivative of the sine,", "cos": "the sine, the derivative of the cosine,",
    "tan": "the derivative of the tangent", "sqrt": "the derivative of the square root",
    "rsqrt": "the derivative of 1/√x", "cbrt": "the derivative of ∛x", "integer_pow": "the derivative of the power",
    "square": "2x, the derivative of the square,", "erf": "the derivative of erf", "erfc": "the derivative of erfc",
    "sinh": "the derivative of sinh", "cosh": "the derivative of cosh", "abs": "the sign, the derivative of |x|,",
    "asin": "the derivative of arcsin", "acos": "the derivative of arccos", "atan": "the derivative of arctan",
    "lgamma": "the digamma function, the derivative of lgamma,", "digamma": "the derivative of digamma",
    "erf_inv": "the derivative of erf⁻¹", "max": "the derivative of the maximum (0 or 1)",
    "min": "the derivative of the minimum (0 or 1)", "clamp": "the derivative of the clamp (0 or 1)",
    "pow": "the derivative of the power",
}  # fmt: skip
"""Functions of single numbers, and what their derivative is called."""

_OPERATIONS = {
    "reduce_sum": "the sum", "reduce_max": "the maximum", "reduce_min": "the minimum", "dot_general": "the product",
    "broadcast_in_dim": "the broadcast", "integer_pow": "the power", "logistic": "the sigmoid", "div": "the quotient",
    "mul": "the product", "add": "the sum", "sub": "the difference", "select_n": "the choice", "rsqrt": "1/√x",
    "sqrt": "the square root", "exp": "the exponential", "log": "the logarithm", "neg": "the negative",
    "conv_general_dilated": "the convolution", "gather": "the indexing", "cumsum": "the cumulative sum",
    "reduce_prod": "the product", "square": "the square", "round": "the slice", "stack": "the stack",
    "concatenate": "the concatenation", "transpose": "the transpose", "squeeze": "the slice", "slice": "the slice",
    "dynamic_slice": "the slice", "reshape": "the reshape", "triangular_solve": "the triangular solve",
    "max": "the maximum", "min": "the minimum", "abs": "the absolute value", "sin": "the sine", "cos": "the cosine",
    "cholesky": "the Cholesky factor", "custom_linear_solve": "the solution", "lu": "the LU factors",
}  # fmt: skip


_SAME = ("convert_element_type", "broadcast_in_dim", "copy", "stop_gradient", "squeeze", "expand_dims")
"""Operations after which a value is still called what it was called before."""


def operation(primitive: str) -> str:
    """An operation in words, or by JAX's name."""
    return _OPERATIONS.get(primitive, f"`{primitive}`")


def named(step: Step) -> str:
    """A step, with the line of the function that it belongs to."""
    return operation(step.primitive) + (f" in {step.line}" if step.line else "")


def called(tape: Tape, n: int) -> str:
    """What a value is: an argument, or the result of a step."""
    if n in tape.names:
        return tape.names[n]
    for step in tape.steps:
        if n in step.outputs:
            return called(tape, step.inputs[0]) if step.primitive in _SAME else named(step)
    return "a constant"


def nth(k: int, count: int) -> str:
    """Which of an operation's inputs."""
    return ("the first operand", "the second operand")[k] if count == 2 else f"operand {k}"
