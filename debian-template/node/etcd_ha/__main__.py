"""Entry point of the Python commands of etcd-ha: python3 -I -B DIR/etcd_ha COMMAND [ARGUMENT]..."""

import sys
from pathlib import Path

# The folder itself comes first, and its modules would hide others of the same name.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from etcd_ha import node  # noqa: E402
from etcd_ha.check import UNKNOWN  # noqa: E402
from etcd_ha.errors import EtcdHaError  # noqa: E402

COMMANDS = {"check": node.main}


def main() -> int:
    """Run a command. Returns its exit status; 2 if it could not do its work."""
    command, *arguments = sys.argv[1:]
    try:
        return COMMANDS[command](arguments)
    except EtcdHaError as error:
        print(f"etcd-ha: error: {error.render()}", file=sys.stderr)  # noqa: T201
    except BrokenPipeError:
        pass
    return UNKNOWN


if __name__ == "__main__":
    sys.exit(main())
