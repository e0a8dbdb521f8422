"""A new CA in three steps. After each of them all members and clients trust each other.

etcd reads its CA file only when it starts, so members restart after the first and the last step. It
reads certificates again for each connection.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path

from builder.cluster import folder as files
from builder.cluster.model import Authority, Cluster
from builder.cluster.tls import authorities, judge
from builder.cluster.tls.certificates import read_certificates
from builder.cluster.tls.issuing import Written, bring_up_to_date, require, write_trust
from builder.cluster.tls.pairs import pairs
from builder.errors import UsageError


class Step(StrEnum):
    """The steps, in their order."""

    TRUST_BOTH = "trust-both"
    REPLACE = "replace"
    TRUST_NEW = "trust-new"


def rotate(cluster: Cluster, folder: Path, step: Step, now: datetime) -> tuple[Written, ...]:
    """Take one step; one that was taken, or broken off, may be taken again. Raises EtcdDebError."""
    require(cluster, Authority.OWN)
    state = authorities.read_state(folder)
    first = folder / authorities.certificate_of(state.signer)
    if not first.exists():
        raise UsageError(
            "there is no CA to replace",
            details=(f"expected  {first}", "found     no such file"),
            hint="to make the first one: etcd-deb cluster certs FILE",
        )
    if step not in (done(state), following(state)):
        raise UsageError(
            f"the step {step} is not due now",
            details=(f"expected  {following(state)}", f"found     {_described(state)}"),
            hint=f"etcd-deb cluster certs rotate-ca FILE {following(state)}",
        )
    target = state if step is done(state) else _after(state, step)
    if step is Step.TRUST_NEW and target != state:
        _refuse_old_leaves(cluster, folder, target)
    if step is Step.TRUST_BOTH:
        authorities.create(folder, max(target.trusted), cluster, now)
    # The files made after it follow from it, and are made again if this is interrupted.
    files.write(folder, (authorities.state_file(target),))
    if step is Step.TRUST_BOTH:
        # The CA that signs may have expired: what it would sign is not this step's matter.
        return tuple(write_trust(cluster, folder, authorities.read_trusted(folder, target)))
    return bring_up_to_date(cluster, folder, target, now, renew=False)


def done(state: authorities.State) -> Step | None:
    """The step that was taken last; None where no CA was ever replaced."""
    if len(state.trusted) == 2:
        return Step.TRUST_BOTH if state.signer == min(state.trusted) else Step.REPLACE
    return None if state == authorities.FIRST else Step.TRUST_NEW


def following(state: authorities.State) -> Step:
    """The step that comes next."""
    match done(state):
        case Step.TRUST_BOTH:
            return Step.REPLACE
        case Step.REPLACE:
            return Step.TRUST_NEW
        case _:
            return Step.TRUST_BOTH


def _after(state: authorities.State, step: Step) -> authorities.State:
    newest = max(state.trusted)
    match step:
        case Step.TRUST_BOTH:
            return authorities.State(state.signer, (state.signer, newest + 1))
        case Step.REPLACE:
            return authorities.State(newest, state.trusted)
        case Step.TRUST_NEW:
            return authorities.State(newest, (newest,))


def _described(state: authorities.State) -> str:
    last = done(state)
    return f"{last} was the last step" if last else "no step has been taken"


def _refuse_old_leaves(cluster: Cluster, folder: Path, target: authorities.State) -> None:
    (trusted,) = authorities.read_trusted(folder, target)
    for pair in pairs(cluster):
        path = folder / pair.certificate
        if path.exists() and judge.issued_by(read_certificates(path.read_bytes(), str(path))[0], trusted):
            continue
        raise UsageError(
            f"{path} was not issued by the new CA",
            details=(
                "expected  every certificate replaced before the old CA is removed",
                "found     another issuer",
            ),
            hint="etcd-deb cluster certs rotate-ca FILE replace",
        )
