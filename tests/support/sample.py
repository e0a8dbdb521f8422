"""Which values of a parameter ci/test takes; ci/soak takes the others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from _pytest.mark.structures import ParameterSet


def sampled(values: Iterable[object], *kept: object) -> list[ParameterSet]:
    """For pytest.mark.parametrize: all but `kept` are marked soak. A tuple is of several names."""
    return [
        pytest.param(
            *(value if isinstance(value, tuple) else (value,)),
            marks=() if value in kept else pytest.mark.soak,
        )
        for value in values
    ]
