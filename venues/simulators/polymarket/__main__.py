"""`python -m venues.simulators.polymarket` is `manage.py simulate polymarket` without Django."""

import sys

from venues.simulators.polymarket.server import main

sys.exit(main())
