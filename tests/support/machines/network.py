"""A bridge in a network namespace of its own, and a namespace with an eth0 on it for each node."""

from dataclasses import dataclass, field
from pathlib import Path

from tests.support.command import run


@dataclass(frozen=True)
class Endpoint:
    """Where a node stands on the network."""

    name: str
    namespace: Path
    ipv4: str
    ipv6: str


@dataclass(frozen=True)
class Network:
    """Nodes see each other and the bridge by IPv4 and IPv6, and nothing else.

    The namespaces are mounted on files in `folder`, and gone when those are unmounted. (With `ip netns` they
    would be in /run, where a second mount of each can stay behind.)
    first: the first three numbers of each IPv4 address.
    """

    folder: Path
    first: str = "10.66.0"
    endpoints: dict[str, Endpoint] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The bridge's own."""
        return f"{self.first}.1"

    @property
    def namespace(self) -> Path:
        """Where the bridge is."""
        return self.folder / "bridge"

    def create(self) -> None:
        """Make the namespace and its bridge."""
        self.folder.mkdir()
        self._new(self.namespace)
        self._ip(
            self.namespace,
            "link set lo up",
            "link add br0 type bridge",
            f"addr add {self.address}/24 dev br0",
            "addr add fd00:66::1/64 dev br0 nodad",
            "link set br0 up",
        )

    def attach(self, name: str) -> Endpoint:
        """A namespace for a node, on the bridge; it outlives the node's reboots."""
        number = 10 + len(self.endpoints)
        there = Endpoint(name, self.folder / name, f"{self.first}.{number}", f"fd00:66::{number}")
        self._new(there.namespace)
        self._ip(
            self.namespace,
            f"link add v-{name} type veth peer name eth0 netns {there.namespace}",
            f"link set v-{name} master br0 up",
        )
        self._ip(
            there.namespace,
            "link set lo up",
            "link set eth0 up",
            f"addr add {there.ipv4}/24 dev eth0",
            f"addr add {there.ipv6}/64 dev eth0 nodad",
            f"route add default via {self.address}",
            "route add default via fd00:66::1",
        )
        self.endpoints[name] = there
        return there

    def cut_off(self, name: str) -> None:
        """Pull the node's cable."""
        self._ip(self.namespace, f"link set v-{name} down")

    def mend(self, name: str) -> None:
        """Put the cable back."""
        self._ip(self.namespace, f"link set v-{name} up")

    def command(self, *argv: str) -> list[str]:
        """The command line that runs `argv` on the bridge, as a client outside the nodes."""
        return _inside(self.namespace, *argv)

    def _new(self, namespace: Path) -> None:
        namespace.touch()
        run(["unshare", f"--net={namespace}", "true"])

    def _ip(self, namespace: Path, *lines: str) -> None:
        run(_inside(namespace, "ip", "-batch", "-"), input="\n".join(lines) + "\n")


def _inside(namespace: Path, *argv: str) -> list[str]:
    return ["nsenter", f"--net={namespace}", "--", *argv]
