"""`python -m amlkit.emulator`: what `amlkit emulator start --detach` starts."""

import sys

from amlkit.emulator.process import main

sys.exit(main(sys.argv[1]))
