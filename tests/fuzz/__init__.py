"""A fuzzer: throws random values, functions, files and interrupts at everything public, and sees what comes back.

    python -m tests.fuzz --minutes 60
    python -m tests.fuzz --minutes 5 --only newton "mvcalc fit" --seed 7
    python -m tests.fuzz --only newton --seed 7 --case 12      repeats exactly one case

A recipe draws a call that is right; most are then spoiled in an argument or two. What may come back is a result that
does not contradict itself, or one of the package's own sentences: a ValueError, TypeError or OSError that it raises
itself. Everything else is a finding: an error from inside, a warning, words on stderr, a setting left changed, a file
that is half written, a false answer where that can be told, a hang, a crash; of commands, also an exit code that is not
documented, a traceback, or a process left behind. A public function without a recipe is a finding, too.

A case is a name, a seed and a number, and from these three alone all its random choices follow. Time is shared evenly:
next comes the name that has had the least. Functions are called in one process beside this one, which may hang or die;
commands are processes anyway. Hypothesis is not used: what counts here is that each case repeats from a line, that it
may end its process, and that an hour is spent evenly; and as a right call is spoiled in a place or two, nothing is left
to shrink.

__main__   the command line: whose turn it is, and the summary
public     every public function, by looking
recipe     what a recipe is
recipes    one for each
draws      random values, and how they are spoiled
functions  functions of users, good and hostile
files      files of users, good and hostile
calls      one call, from its numbers to what is wrong with it
judge      what is wrong with an error, a warning, a result
whole      whether files are whole
worker     the process in which calls are made, and the watch over it
commands   a command, from its numbers to what is wrong with it
options    random words for a command line, from its dataclass
planted    mistakes of every kind, to see that they are found
"""
