"""Calls of calculus with several variables: derivatives, coordinates, areas, chains of matrices."""

import functools

import jax.numpy as jnp
import numpy as np

import mvcalc_jax as mv
from tests.fuzz.functions import MANY, MAPS, ONE
from tests.fuzz.recipe import Call, recipe

calculus = mv.calculus
BOX = ((0.1, 2.0), (0.2, 1.5))


@recipe("calculus.partial", "calculus.jacobian", "calculus.hessian")
def _(draw, folder, name):
    """The function that it returns is called at once."""
    door = getattr(calculus, name.split(".")[1])
    f = draw.one((*MANY, *MAPS)) if name != "calculus.hessian" else draw.one(MANY)
    options = {"by": draw.one((0, 1))} if name == "calculus.partial" else {}
    if draw.chance(0.3):
        g = lambda u, v: jnp.sin(u) * v
        options = {"by": draw.one((0, "u", "v"))} if options else {}
        return Call(lambda f, *at, **how: door(f, **how)(*at), (g, draw.real(), draw.real()), options)
    return Call(lambda f, *at, **how: door(f, **how)(*at), (f, draw.array(2)), options)


@recipe("calculus.total_derivative")
def _(draw, folder):
    path = draw.one((lambda t: jnp.stack([jnp.cos(t), jnp.sin(t)]), lambda t: jnp.stack([t, t**2])))
    return Call(calculus.total_derivative, (draw.one(MANY), path, draw.real()))


@recipe("calculus.directional_derivative")
def _(draw, folder):
    return Call(calculus.directional_derivative, (draw.one(MANY), draw.array(2), draw.array(2)))


@recipe("calculus.gradient_field")
def _(draw, folder):
    f = draw.one((lambda x, y: x**2 + y, lambda x, y: jnp.sin(x) * y, lambda x, y: x / y))
    return Call(calculus.gradient_field, (f, BOX), {"points": draw.whole(1, 9)})


def _coordinates(draw):
    return draw.one((*calculus.COORDINATES, *calculus.COORDINATES.values(), *MAPS))


def _width(coordinates):
    named = calculus.COORDINATES.get(coordinates) if isinstance(coordinates, str) else coordinates
    return len(named.variables) if isinstance(named, calculus.Coordinates) else 2


@recipe("calculus.change_of_variables")
def _(draw, folder):
    c = _coordinates(draw)
    return Call(calculus.change_of_variables, (c, draw.array(_width(c))))


@recipe("calculus.images")
def _(draw, folder):
    c = _coordinates(draw)
    return Call(calculus.images, (c, draw.array(4, _width(c))))


@recipe("calculus.areas", "calculus.refined_areas")
def _(draw, folder, name):
    c = _coordinates(draw)
    named = calculus.COORDINATES.get(c) if isinstance(c, str) else c
    box = None if isinstance(named, calculus.Coordinates) and draw.chance(0.5) else BOX[:1] * _width(c)
    cells = draw.whole(1, 6) if name == "calculus.areas" else (2, 4)
    return Call(getattr(calculus, name.split(".")[1]), (c,), {"box": box, "cells": cells})


@functools.cache
def _areas(cells):
    return calculus.areas("polar", cells=cells)


@recipe("Areas.errors", spoil=False)
def _(draw, folder):
    found = _areas(draw.whole(1, 6))
    return Call(found.errors, (draw.one((found.middle, found.corner)),))


@recipe("Convergence.rows", spoil=False)
def _(draw, folder):
    return Call(calculus.refined_areas("polar", cells=(2, 4)).rows)


@recipe("calculus.shrinking_cell")
def _(draw, folder):
    c = _coordinates(draw)
    at = np.abs(draw.array(_width(c))) + 0.5
    return Call(calculus.shrinking_cell, (c, at), {"width": 0.1, "halvings": draw.whole(1, 4)})


@recipe("calculus.matrix_chain")
def _(draw, folder):
    links = [("y", draw.one((*MAPS, ONE[0])), None), ("z", draw.one((*MAPS, *MANY)), None)]
    return Call(calculus.matrix_chain, (links, draw.array(2)), {"of": "x"})


@recipe("calculus.Coordinates", spoil=False)
def _(draw, folder):
    return Call(calculus.Coordinates, ("mine", ("u", "v"), draw.one(MAPS)))
