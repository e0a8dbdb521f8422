"""Entry point of the console script etcd-deb, and of python -m builder."""

import gc
import os
from typing import NoReturn

# Objects that may be made before Python looks for garbage among them, which is in cycles alone. Loading makes
# 40,000 that stay, and by default is broken off for a look after each 700.
LOOK_AFTER = 200_000


def main() -> NoReturn:
    """Run the command line, and end."""
    gc.set_threshold(LOOK_AFTER)
    from builder.cli import main as run

    status = run()
    # Taking apart what ends anyway would take a tenth of what publishing a package does. Nothing is lost:
    # click.echo() flushes each line, and files and threads have been ended by who began them.
    os._exit(status)


if __name__ == "__main__":
    main()
