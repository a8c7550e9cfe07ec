"""Tests mirror the package. While they run, the shapes in the package's signatures are checked by `checked`."""

from beartype import BeartypeConf, beartype

# To beartype alone an int is no float; Python's own typing rules say that it will do for one.
checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
