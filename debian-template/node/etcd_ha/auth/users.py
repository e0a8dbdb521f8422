"""Users and roles, by etcd's gateway. A role has its user's name, and one permission."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from etcd_ha.gateway import Body, Denied, Fields, Gateway, below, decoded, end_of
from etcd_ha.keeper.cluster import Cluster
from etcd_ha.keeper.plan import Step

ROOT = "root"


def is_on(cluster: Cluster) -> bool:
    """Whether authentication is on. Raises EtcdHaError."""
    return cluster.ask("whether authentication is on", _says_on)


def _says_on(gateway: Gateway) -> bool:
    try:
        return gateway.call("auth/status").truth("enabled")
    except Denied:
        # That is not told to everybody, once it is on.
        return True


def users_of(cluster: Cluster) -> tuple[str, ...]:
    """The names of all users. Raises EtcdHaError."""
    return _asked(cluster, "auth/user/list").texts("users")


def writable_prefixes(cluster: Cluster) -> set[str]:
    """With what the keys begin that users may write, but for root. Raises EtcdHaError."""
    roles = {
        role
        for name in users_of(cluster)
        for role in _asked(cluster, "auth/user/get", {"name": name}).texts("roles")
    }
    found = set()
    for role in roles:
        for one in _asked(cluster, "auth/role/get", {"role": role}).many("perm"):
            begin = decoded(one.whole("key"))
            if (
                one.text("permType") == "READWRITE"
                and begin
                and decoded(one.whole("range_end")) == end_of(begin)
            ):
                found.add(begin)
    return found


def _asked(cluster: Cluster, method: str, body: Body | None = None) -> Fields:
    return cluster.ask(method.replace("/", " "), lambda one: one.call(method, body))


def new_password() -> str:
    """Of 32 letters, digits, hyphens and underscores: YAML and USER:PASSWORD take it as it is."""
    return secrets.token_urlsafe(24)


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the cluster, with a role of the same name. prefix: what it may use; empty for root."""

    cluster: Cluster
    name: str
    password: str
    prefix: str = ""

    def steps(self, *, sets_password: bool) -> list[Step]:
        """Those that make it. sets_password: also where the user is there already. Raises EtcdHaError."""
        permission = [Step(f"permitting {self.name} {self.prefix}", self._is_permitted, self._permit)]
        user = (
            Step(f"setting the password of {self.name}", lambda: False, self._set_password)
            if sets_password and self.name in users_of(self.cluster)
            else Step(f"adding the user {self.name}", self._is_user, self._add)
        )
        return [
            Step(f"adding the role {self.name}", self._is_role, self._add_role),
            *(permission if self.prefix else []),
            user,
            Step(f"giving {self.name} its role", self._is_granted, self._grant),
        ]

    def _is_role(self) -> bool:
        return self.name in _asked(self.cluster, "auth/role/list").texts("roles")

    def _add_role(self) -> None:
        self.cluster.change(f"adding the role {self.name}", "auth/role/add", {"name": self.name})

    def _permission(self) -> Body:
        return {"permType": "READWRITE", **below(self.prefix)}

    def _is_permitted(self) -> bool:
        if not self._is_role():
            return False
        found = _asked(self.cluster, "auth/role/get", {"role": self.name})
        wanted = self._permission()
        return any(all(one.whole(key) == wanted[key] for key in wanted) for one in found.many("perm"))

    def _permit(self) -> None:
        body: Body = {"name": self.name, "perm": self._permission()}
        self.cluster.change(f"permitting {self.name} {self.prefix}", "auth/role/grant", body)

    def _is_user(self) -> bool:
        return self.name in users_of(self.cluster)

    def _add(self) -> None:
        body: Body = {"name": self.name, "password": self.password}
        self.cluster.change(f"adding the user {self.name}", "auth/user/add", body)

    def _set_password(self) -> None:
        body: Body = {"name": self.name, "password": self.password}
        self.cluster.change(f"setting the password of {self.name}", "auth/user/changepw", body)

    def _is_granted(self) -> bool:
        if not self._is_user():
            return False
        found = _asked(self.cluster, "auth/user/get", {"name": self.name})
        return self.name in found.texts("roles")

    def _grant(self) -> None:
        self.cluster.change(
            f"giving {self.name} its role", "auth/user/grant", {"user": self.name, "role": self.name}
        )
