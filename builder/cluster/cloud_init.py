"""user-data for cloud-init, with which a bare Debian machine becomes a node of the cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from builder.cluster import folder as files
from builder.cluster.model import Cluster, Node, Repository, Role
from builder.cluster.patroni import PATRONI_TLS, dcs
from builder.cluster.preseed import ETCD_TLS, preseed
from builder.cluster.tls.pairs import Pair, pairs
from builder.errors import EtcdDebError, UsageError
from builder.settings import read_small
from builder.version import Architecture

SOURCES = "/etc/apt/sources.list.d/etcd-ha.sources"
ANSWERS = "/run/etcd-ha.preseed"
# As the package has it (etcd-ha.sysusers), so that its own run finds the account as it wants it.
ACCOUNT = 'u etcd /var/lib/etcd-ha "etcd member" /var/lib/etcd-ha'
_PUBLIC_KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
# Where the files of a folder go, whose group reads them, and whether only a package brings that account.
_PLACES = {files.ETCD_FILES: (ETCD_TLS, "etcd", False), files.PATRONI_FILES: (PATRONI_TLS, "postgres", True)}


@dataclass(frozen=True, slots=True)
class Material:
    """What user-data carries besides answers. keyring: armoured; content: of keys and certificates."""

    keyring: str
    content: Mapping[Path, bytes]


def read_material(cluster: Cluster, folder: Path) -> Material:
    """Raises EtcdDebError where a certificate or the repository's key is not there, or is something else."""
    if cluster.repository is None:
        raise UsageError(
            "cluster.yaml does not name a repository",
            details=("expected  the repository that nodes install etcd-ha from", "found     none"),
            hint="repository: {url: http://apt.example.org, suite: trixie, component: 3.6, keyring: key.asc}",
        )
    content: dict[Path, bytes] = {}
    for pair in pairs(cluster):
        for path in (pair.authority, pair.certificate, pair.key):
            if not (folder / path).is_file():
                raise EtcdDebError(
                    f"{folder / path} is missing",
                    details=("expected  the keys and certificates of each node", "found     not all of them"),
                    hint=f"etcd-deb cluster certs FILE --output {folder}",
                )
            content[path] = (folder / path).read_bytes()
    return Material(_read_keyring(cluster.repository), content)


def _read_keyring(repository: Repository) -> str:
    hint = "etcd-deb repo init prints the path of the repository's key; gpg --armor --export FPR prints a key"
    try:
        text = read_small(repository.keyring).decode("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise EtcdDebError(
            f"can't read the repository's key in {repository.keyring}",
            details=("expected  a public key in ASCII armor", f"found     {type(error).__name__}"),
            hint=hint,
        ) from error
    if not text.lstrip().startswith(_PUBLIC_KEY) or "PRIVATE KEY" in text:
        raise EtcdDebError(
            f"{repository.keyring} is not a public key in ASCII armor",
            details=(f"expected  {_PUBLIC_KEY}", "found     something else, which is not shown"),
            hint=hint,
        )
    return text


def user_data(cluster: Cluster, node: Node, material: Material, *, golden: bool) -> str:
    """golden: for an image that has the packages already; there answers count after dpkg-reconfigure."""
    with_patroni = cluster.runs_patroni(node)
    asks_again = golden and node.role is Role.MEMBER
    said: dict[str, object] = {
        "hostname": node.name,
        "preserve_hostname": False,
        **_account_before_its_files(cluster),
        "apt": {
            # Without it cloud-init rewrites Debian's own sources, whatever the image has.
            "preserve_sources_list": True,
            **({} if golden else {"debconf_selections": {"etcd-ha": preseed(cluster, node)}}),
        },
        "write_files": [
            *_sources(cluster.repository, material.keyring),
            *(
                [_file(ANSWERS, preseed(cluster, node), "root:root", "0600", later=False)]
                if asks_again
                else ()
            ),
            *(_without_postgresql_cluster() if with_patroni and not golden else ()),
            *_certificates(cluster, node, material.content),
            *(
                [_file("/etc/patroni/dcs.yml", dcs(cluster), "root:root", "0644", later=True)]
                if with_patroni
                else ()
            ),
        ],
    }
    if golden:
        if asks_again:
            # cloud-init's own debconf_selections warns of a package that is installed.
            said["runcmd"] = [
                ["debconf-set-selections", ANSWERS],
                ["dpkg-reconfigure", "-f", "noninteractive", "etcd-ha"],
            ]
    else:
        said |= {"package_update": True, "packages": ["etcd-ha", *_packages(cluster, node)]}
    return "#cloud-config\n" + yaml.dump(said, Dumper=_Blocks, sort_keys=False, width=1000)


def _account_before_its_files(cluster: Cluster) -> Mapping[str, object]:
    """bootcmd runs before write_files, and again at each boot.

    The certificates are then whole, with their owner, before etcd first starts: a key that is not etcd's yet
    would stop the service for good (preflight).
    """
    return {"bootcmd": [["systemd-sysusers", "--inline", ACCOUNT]]} if cluster.has_tls else {}


def _packages(cluster: Cluster, node: Node) -> Sequence[str]:
    if cluster.patroni is None or not cluster.runs_patroni(node):
        return ()
    # patroni of Debian's sid no longer depends on python3-etcd, and imports it.
    return f"postgresql-{cluster.patroni.postgresql}", "patroni", "python3-etcd"


def _sources(repository: Repository | None, keyring: str) -> Sequence[Mapping[str, object]]:
    """deb822 with the key inside (sources.list(5)); cloud-init's own apt sources would want gpg."""
    if repository is None:
        return ()
    key = "\n".join(f" {line.strip() or '.'}" for line in keyring.strip().splitlines())
    text = (
        "Types: deb\n"
        f"URIs: {repository.url}\n"
        f"Suites: {repository.suite}\n"
        f"Components: {repository.component}\n"
        f"Architectures: {' '.join(Architecture)}\n"
        f"Signed-By:\n{key}\n"
    )
    return ({"path": SOURCES, "content": text, "permissions": "0644"},)


def _without_postgresql_cluster() -> Sequence[Mapping[str, object]]:
    """Patroni makes the cluster; postgresql-common would make one of its own and start it."""
    path = "/etc/postgresql-common/createcluster.d/patroni.conf"
    return ({"path": path, "content": "create_main_cluster = false\n", "permissions": "0644"},)


def _certificates(
    cluster: Cluster, node: Node, content: Mapping[Path, bytes]
) -> Sequence[Mapping[str, object]]:
    found: list[Mapping[str, object]] = []
    for pair in pairs(cluster):
        if pair.folder.parts[0] == node.name:
            found += _files_of(pair, content)
    # Each pair has the CA beside it.
    return list({str(entry["path"]): entry for entry in found}.values())


def _files_of(pair: Pair, content: Mapping[Path, bytes]) -> Sequence[Mapping[str, object]]:
    place, group, later = _PLACES[pair.folder.name]
    # Only root may read root's own key.
    owner, mode = ("root:root", "0600") if pair.stem == "root" else (f"root:{group}", "0640")
    return tuple(
        _file(f"{place}/{path.name}", content[path].decode(), owner, mode, later=later)
        for path, owner, mode in (
            (pair.authority, "root:root", "0644"),
            (pair.certificate, "root:root", "0644"),
            (pair.key, owner, mode),
        )
    )


def _file(path: str, text: str, owner: str, mode: str, *, later: bool) -> Mapping[str, object]:
    """later: after the packages are installed, which bring the account or the file that this replaces."""
    said: dict[str, object] = {"path": path, "content": text, "owner": owner, "permissions": mode}
    return said | ({"defer": True} if later else {})


class _Blocks(yaml.SafeDumper):
    """Texts of several lines as blocks, which people can read."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Blocks.add_representer(str, _text)
