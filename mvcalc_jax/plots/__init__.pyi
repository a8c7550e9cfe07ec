from . import curve as curve
from . import descent as descent
from . import errors as errors
from . import gif as gif
from . import heights as heights
from . import live as live
from .style import save as save
from .style import style as style
