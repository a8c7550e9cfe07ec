"""NIST's Statistical Reference Datasets: regressions with certified answers, as tables.

linear     the eleven linear ones
nonlinear  the twenty-seven nonlinear ones, with both starts

The numbers are those of the US National Institute of Standards and Technology
(https://www.itl.nist.gov/div898/strd/), which certifies them to 11 or 15 digits.
"""
