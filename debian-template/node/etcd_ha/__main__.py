"""Entry point of the Python commands of etcd-ha: python3 -I -B DIR/etcd_ha COMMAND [ARGUMENT]..."""

import sys
from pathlib import Path

# The folder itself comes first, and its modules would hide others of the same name.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from etcd_ha.check.check import UNKNOWN  # noqa: E402
from etcd_ha.commands import auth, backup, check, defrag, downgrade, join, leave, restore, tls  # noqa: E402
from etcd_ha.errors import USAGE, EtcdHaError, WrongUsage  # noqa: E402

FAILED, INTERRUPTED = 1, 130
# With the status of one that could not do its work.
COMMANDS = {
    "auth": (auth.main, FAILED),
    "backup": (backup.main, FAILED),
    "check": (check.main, UNKNOWN),
    "defrag": (defrag.main, FAILED),
    "downgrade": (downgrade.main, FAILED),
    "join": (join.main, FAILED),
    "leave": (leave.main, FAILED),
    "restore": (restore.main, FAILED),
    "tls": (tls.main, FAILED),
}


def main() -> int:
    """Run a command. Returns its exit status."""
    command, *arguments = sys.argv[1:]
    run, failed = COMMANDS[command]
    try:
        return run(arguments)
    except EtcdHaError as error:
        print(f"etcd-ha: error: {error.render()}", file=sys.stderr)  # noqa: T201
        return USAGE if isinstance(error, WrongUsage) else failed
    except BrokenPipeError:
        return failed
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
