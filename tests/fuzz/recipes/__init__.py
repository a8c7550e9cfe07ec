"""How each public function is called, by its name: a recipe draws a call that is right; the fuzzer spoils it.

calculus   slopes, rules, roots, critical points, variables, constraints
variables  partial and total derivatives, changes of variables, areas
taylor     series, intervals, bands
descent    networks, Gaussians, and what descends
verify     derivatives that are right and wrong, so that a verdict can be false
fitting    curves, histograms, lines, and files of them
sandpit    games, walks, floors
data       curves, histograms, tables; run directories; files that are none
inside     what the package's own rooms use of each other: called rightly, with extreme values
"""

from tests.fuzz.recipes import calculus, data, descent, fitting, inside, sandpit, taylor, variables, verify

__all__ = ["calculus", "data", "descent", "fitting", "inside", "sandpit", "taylor", "variables", "verify"]
