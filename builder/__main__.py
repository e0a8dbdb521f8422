"""Entry point of the console script etcd-deb, and of python -m builder."""

import os
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line, and end."""
    _open_standard_files()
    try:
        from builder.cli.main import main as run
    except (ImportError, MemoryError, OSError) as error:
        # A library that can't be mapped is an ImportError too.
        text = f"etcd-deb: error: can't load etcd-deb: {str(error) or 'not enough memory'}\n"
        hint = "hint: check the limits (ulimit -a), and reinstall etcd-deb\n"
        os.write(2, f"{text}{hint}".encode(errors="backslashreplace"))
        os._exit(1)
    status = run()
    # Taking apart what ends anyway would take a fifth of what publishing a package does. Nothing is lost:
    # click.echo() flushes each line, and its owner has closed each file and thread.
    os._exit(status)


def _open_standard_files() -> None:
    # Where one is closed, the next file that is opened would take its number, and its text.
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


if __name__ == "__main__":
    main()
