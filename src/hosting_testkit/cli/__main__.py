"""`python -m hosting_testkit.cli`."""

import sys

from .main import main

sys.exit(main())
