"""Taylor: approximations of functions by polynomials."""
