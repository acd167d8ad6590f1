"""`python -m leadline.cli` is `leadline`."""

import sys

from leadline.cli.main import main

sys.exit(main())
