"""etcd-ha auth: authentication, with a user for each Patroni cluster."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from etcd_ha.auth.certificates import refuse_common_names
from etcd_ha.auth.patroni import patronis_of
from etcd_ha.auth.users import (
    ROOT,
    Account,
    is_on,
    new_password,
    users_of,
    writable_prefixes,
)
from etcd_ha.check.expected import Expected
from etcd_ha.disk import write_whole
from etcd_ha.errors import EtcdHaError, WrongUsage
from etcd_ha.identity import read_user
from etcd_ha.keeper.cluster import Cluster
from etcd_ha.keeper.here import Here, here_of
from etcd_ha.keeper.lock import only_one
from etcd_ha.keeper.plan import Step, carry_out
from etcd_ha.keeper.seen import Seen, check_health
from etcd_ha.keeper.words import Words, confirm, read_words, require_root, say, show

# There users without the role root can't list members, as Patroni does (fixed in 3.5.29 and 3.6.10).
_BROKEN = ("3.5.28", "3.6.9")
_DEMANDED = "client-transport-security.client-cert-auth"
# Words that a shell, YAML and USER:PASSWORD take as they are.
_NAME, _PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*"), re.compile(r"/[A-Za-z0-9/._-]*[A-Za-z0-9._-]/")


def main(arguments: list[str]) -> int:
    """Add a user, or turn authentication on. Returns the exit status. Raises EtcdHaError."""
    words = read_words("auth", arguments)
    require_root(words)
    here = here_of(os.environ)
    with only_one(words, here.run):
        if words.command == "auth add-user":
            _add_user(words, here.cluster())
        else:
            _enable(words, here, here.expected(), here.cluster())
    return 0


def _add_user(words: Words, cluster: Cluster) -> None:
    name, prefix = words.operands
    if not _NAME.fullmatch(name) or name == ROOT:
        raise WrongUsage(
            f"{name!r} is no name for a user",
            details=("expected  letters, digits, '.', '_' and '-', and not root",),
            hint=words.again(),
        )
    if not _PREFIX.fullmatch(prefix) or "//" in prefix or prefix.startswith("/etcd-ha/"):
        raise WrongUsage(
            f"{prefix!r} is not the prefix of the keys of one cluster",
            details=("expected  it begins and ends with /, such as /postgresql-common/17-main/",),
            hint=words.again(),
        )
    there, sets = name in users_of(cluster), words.has("--new-password")
    account = Account(cluster, name, new_password(), prefix)
    carry_out(words, account.steps(sets_password=sets))
    if words.is_dry:
        return
    if there and not sets:
        say(
            f"the user {name} was there, and keeps its password; for another: {words.again('--new-password')}"
        )
        return
    show(
        "In the section etcd3: of Patroni's file, on each node of that cluster, readable for postgres alone:"
    )
    show(f"  username: {name}\n  password: {account.password}")
    if not is_on(cluster):
        show("Patroni 4.1.1 or newer may have it before authentication is on. Then: etcd-ha auth enable")


def _enable(words: Words, here: Here, known: Expected, cluster: Cluster) -> None:
    file = Path(here.environment.get("CREDENTIALS", "/etc/etcd/credentials"))
    if is_on(cluster):
        if not file.exists():
            raise EtcdHaError(
                f"authentication is on, and this node has no {file}",
                hint=f"copy it from a node that has it, owner root, mode 0600: {file}",
            )
        users_of(cluster)
        show(f"Authentication is on, and {file} has a user with the role root.")
        return
    seen = cluster.look()
    check_health(seen)
    _check_versions(seen)
    _check_patroni(cluster)
    if known.identity.certificate and here.configuration.get(_DEMANDED) == "true":
        refuse_common_names(known.identity.certificate, known.renew)
    confirm_words = (
        "From then on, every client needs a user. These have one: "
        f"{', '.join(one for one in users_of(cluster) if one != ROOT) or 'none'}.",
        f"{file} gets the password of root, which etcd-ha and etcdctl use.",
    )
    if not words.is_dry:
        confirm(words, confirm_words, "Turn authentication on?")
    user = read_user(str(file)) if file.exists() else f"{ROOT}:{new_password()}"
    name, _, password = user.partition(":")
    if name != ROOT:
        raise EtcdHaError(
            f"{file} names the user {name}", details=("expected  root, which etcd wants to have first",)
        )
    authenticated = Cluster(known.places, replace(known.identity, user=user))
    carry_out(
        words,
        [
            Step(f"writing {file}", file.exists, lambda: write_whole(file, f"{user}\n", 0o600)),
            *Account(cluster, ROOT, password).steps(sets_password=True),
            Step("turning authentication on", lambda: is_on(cluster), lambda: _turn_on(cluster)),
            Step("writing a key as root", lambda: False, authenticated.prove_by_put),
        ],
    )
    if words.is_dry:
        return
    others = sorted(one.member.shown for one in seen if one.url not in known.urls)
    show("Authentication is on.")
    if others:
        show(f"Copy {file} to the same place on {', '.join(others)}, owner root, mode 0600;")
        show("without it they can't restart in turn. Then, on each: etcd-ha check")


def _turn_on(cluster: Cluster) -> None:
    cluster.change("turning authentication on", "auth/enable", {})


def _check_versions(seen: Sequence[Seen]) -> None:
    for one in seen:
        version = one.endpoint.version if one.endpoint else None
        if version in _BROKEN:
            raise EtcdHaError(
                f"etcd {version} of {one.member.shown} lets only root list members, as Patroni does",
                hint="upgrade etcd-ha on all nodes first",
            )


def _check_patroni(cluster: Cluster) -> None:
    """Raises EtcdHaError for one that would fail, and for a cluster that no user may write."""
    patronis = patronis_of(cluster)
    if faults := [one.fault for one in patronis if one.fault]:
        raise EtcdHaError(
            "Patroni would fail with authentication; nothing was changed",
            details=("expected  Patroni 4.1.1 or newer", *(f"found     {one}" for one in faults)),
            hint="upgrade Patroni on all its nodes first",
        )
    for prefix in sorted({one.prefix for one in patronis} - writable_prefixes(cluster)):
        name = prefix.strip("/").rpartition("/")[2]
        raise EtcdHaError(
            f"no user may write the keys of Patroni below {prefix}; nothing was changed",
            hint=f"etcd-ha auth add-user {name} {prefix}",
        )
