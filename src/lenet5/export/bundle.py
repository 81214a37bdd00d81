"""JavaScript modules → one script: a page that is opened as a file may not import modules.

Each module becomes a function that returns its exports, from which imports take names; other names stay local.
Whole-line comments and indentation are removed, which makes the page smaller.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from lenet5.errors import ArrayError

__all__ = ["bundle", "compact"]

_IMPORT: Final = re.compile(r'^import \{([^}]*)\} from "\./(\w+)\.js";$', re.MULTILINE)
_EXPORT: Final = re.compile(r"^export (?=(?:async )?(?:function|const|class) (\w+))", re.MULTILINE)
_LINE_COMMENT: Final = re.compile(r"^[ \t]*//.*$", re.MULTILINE)
_BLOCK_COMMENT: Final = re.compile(r"^[ \t]*/\*.*?\*/[ \t]*$", re.MULTILINE | re.DOTALL)


def bundle(modules: Mapping[str, str], entry: str) -> str:
    """The script that runs the module ``entry``, given each module's source by name.

    Imports are named ones of one statement, ``import { a, b } from "./name.js";``, exports stand before a function,
    const or class. Raises ArrayError for an import of a missing module, of a name that it does not export, in a
    circle, or of another form.

    >>> print(bundle({"one": "export const one = 1;", "main": 'import { one } from "./one.js";\\nalert(one);'}, "main"))
    "use strict";
    (() => {
    const one$ = (() => {
    const one = 1;
    return { one };
    })();
    const main$ = (() => {
    const { one } = one$;
    alert(one);
    return {  };
    })();
    })();
    """
    order: list[str] = []
    _visit(modules, entry, (), order)
    parts = [_as_function(name, modules) for name in order]
    return "\n".join(['"use strict";', "(() => {", *parts, "})();"])


def compact(source: str) -> str:
    """Source in JavaScript or CSS without comments that have lines to themselves, indentation and empty lines.

    >>> compact("// why\\nif (a) {\\n  b();\\n}\\n")
    'if (a) {\\nb();\\n}'
    """
    code = _LINE_COMMENT.sub("", _BLOCK_COMMENT.sub("", source))
    return "\n".join(line.strip() for line in code.splitlines() if line.strip())


def _visit(modules: Mapping[str, str], name: str, path: tuple[str, ...], order: list[str]) -> None:
    """Append a module to ``order``, after those that it imports."""
    if name in order:
        return
    if name in path:
        raise ArrayError(f"modules import each other in a circle: {' → '.join((*path, name))}")
    if name not in modules:
        raise ArrayError(f"{path[-1] if path else 'the page'} imports the module {name}, which does not exist")
    for names, imported in _IMPORT.findall(modules[name]):
        _visit(modules, imported, (*path, name), order)
        missing = {n.strip() for n in names.split(",") if n.strip()} - set(_EXPORT.findall(modules[imported]))
        if missing:
            raise ArrayError(f"{name} imports {', '.join(sorted(missing))}, which {imported} does not export")
    order.append(name)


def _as_function(name: str, modules: Mapping[str, str]) -> str:
    """A module as a constant with its exports."""
    source = modules[name]
    exports = ", ".join(_EXPORT.findall(source))
    body = _IMPORT.sub(lambda match: f"const {{{match[1]}}} = {match[2]}$;", _EXPORT.sub("", source))
    if re.search(r"^(?:import|export)\b", body, re.MULTILINE):
        raise ArrayError(f"{name} has an import or export of a form that bundle does not know")
    return f"const {name}$ = (() => {{\n{body.strip()}\nreturn {{ {exports} }};\n}})();"
