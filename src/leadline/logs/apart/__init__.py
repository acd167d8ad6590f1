"""Running one function of Leadline in a process of its own, with bounds that the kernel keeps.

Code that Leadline did not write, run over bytes that strangers wrote, stays out of the process that holds keys
and connections: it gets a fresh interpreter (``-I``) or a fork of one that did nothing but import (`template`), an
empty environment, a folder of its own, limits on address space, processor time, files and the clock, and no network
and no further programs. The last two are kept by Python's audit hooks: they stop a library, not machine code that an
attacker brought along.
"""

from leadline.logs.apart.calling import opened_apart, run_apart
from leadline.logs.apart.limits import DEFAULT, GIB, MIB, ApartLimits

__all__ = ["DEFAULT", "GIB", "MIB", "ApartLimits", "opened_apart", "run_apart"]
