"""What systemd says of a node's etcd.service."""

from dataclasses import dataclass

from tests.support.machines.machine import Machine


@dataclass(frozen=True)
class Service:
    """Its state at one moment."""

    active: str
    result: str
    pid: int
    status: int
    restarts: int


def service(machine: Machine) -> Service:
    """Look at it now."""
    names = ("ActiveState", "Result", "MainPID", "ExecMainStatus", "NRestarts")
    shown = machine.run("systemctl", "show", *(f"--property={name}" for name in names), "etcd").stdout
    values = dict(line.split("=", 1) for line in shown.splitlines())
    return Service(
        values["ActiveState"],
        values["Result"],
        int(values["MainPID"]),
        int(values["ExecMainStatus"]),
        int(values["NRestarts"]),
    )


def member_id(machine: Machine) -> str:
    """The id of the member that runs there, in hex."""
    rows = machine.run("etcdctl", "member", "list").stdout.splitlines()
    (found,) = (row.split(", ")[0] for row in rows if row.split(", ")[2] == machine.name)
    return found
