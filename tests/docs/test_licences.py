"""The licences of all that is installed with lenet5 are known."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

from docs._build import licences
from packaging.requirements import Requirement

REVIEWED = {"certifi", "frozendict"}
"""MPL-2.0, which comes with pooch, and LGPL-3.0, with automata-lib: lenet5 neither changes nor ships them."""


def reached() -> dict[str, Any]:
    """The distributions that lenet5 and its extras need, and theirs, as far as they are installed."""
    waiting, found = list(licences.dependencies()), {}
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in found:
            continue
        try:
            found[name] = distribution(name)
        except PackageNotFoundError:  # for other systems or Pythons
            continue
        for line in found[name].requires or ():
            needed = Requirement(line)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                waiting.append(needed.name)
    return found


def test_each_direct_dependency_has_a_permissive_licence() -> None:
    for name in licences.dependencies():
        parts = licences.licence(name).replace("(", "").replace(")", "").split(" AND ")
        assert set(parts) <= licences.ALLOWED, name


def test_nothing_that_comes_with_them_has_a_licence_that_nobody_looked_at() -> None:
    packages = reached()
    assert {"numpy", "urllib3"} <= set(packages)
    copyleft = {
        name
        for name, package in packages.items()
        if re.search(r"GPL|MPL|Mozilla|General Public", stated(package.metadata))
    }
    assert copyleft <= REVIEWED


def stated(metadata: Any) -> str:
    """What a package's metadata says of its licence."""
    classifiers = [c for c in metadata.get_all("Classifier") or () if c.startswith("License")]
    first_line = (metadata.get("License") or "").split("\n")[0]
    return " ".join([metadata.get("License-Expression") or "", first_line, *classifiers])
