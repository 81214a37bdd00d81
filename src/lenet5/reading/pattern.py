"""A regular expression, as in ``re``, over the characters that the weights know → automaton.

``re`` decides what is valid and which characters a class means. The expression is then rewritten in a plain alphabet,
in which no character is special, for automata-lib, which turns it into a nondeterministic automaton. The deterministic
one is explored here, because its size must be bounded: it may have 2ⁿ states.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Set
from dataclasses import dataclass
from typing import Final

from lenet5.errors import PatternError
from lenet5.reading.automaton import Automaton, explored
from lenet5.reading.quiet import without_warnings

__all__ = ["known", "pattern_automaton", "quoted"]

_MOST_STATES: Final = 20_000
_MOST_PLACES: Final = 5_000  # characters once {n} is written out: a quarter of a second
_MOST_WORK: Final = 2_000_000  # transitions followed on the way to the deterministic automaton: about two seconds
_PLAIN: Final = 0xE000  # private-use characters stand for the symbols: none has a meaning in an expression

_TOKEN: Final = re.compile(
    r"""(?P<open> \( (?: \?: | \?P<\w+> | (?!\?) ) )
      | (?P<close> \) )
      | (?P<either> \| )
      | (?P<repeat> [*+?] | \{ (?: \d+ | \d*,\d* ) \} )
      | (?P<set> \[ \^? \]? (?: \\. | [^\]\\] )* \] )
      | (?P<escape> \\. )
      | (?P<other> . )""",
    re.VERBOSE | re.DOTALL,
)
_SHORTHAND: Final = "dDwWsS"


def known(symbols: str) -> str:
    """What the weights know, for messages.

    >>> known("0123456789/: ")
    'digits, / : and space'
    """
    return ", ".join(["digits", " ".join(symbols[10:-1])] if symbols[10:-1] else ["digits"]) + " and space"


def quoted(text: str) -> str:
    """A text between quotes, on one line, with backslashes as they are.

    >>> print(quoted("12\\n"), quoted(r"\\d"))
    '12\\n' '\\d'
    """
    return "'" + "".join(c if c.isprintable() else repr(c)[1:-1] for c in text) + "'"


def pattern_automaton(pattern: str, symbols: str) -> Automaton:
    """The texts of ``symbols`` that the whole ``pattern`` matches; it may accept none.

    Raises PatternError, with the character's position, for what is no expression, what no automaton can do, and what
    needs a character that is not among the symbols.

    >>> automaton = pattern_automaton("12?", "0123456789 ")
    >>> automaton.edges, automaton.accepting
    (({'1': 1}, {'2': 2}, {}), (False, True, True))
    """
    from automata.fa.nfa import NFA  # 0.3 s, only paid by those who use patterns

    alphabet = {chr(_PLAIN + k): symbol for k, symbol in enumerate(symbols)}
    nfa = NFA.from_regex(_Rewriter(pattern, symbols).rewritten(), input_symbols=set(alphabet))
    transitions = {
        state: {alphabet.get(letter, ""): set(targets) for letter, targets in row.items()}
        for state, row in nfa.transitions.items()
    }
    return _deterministic(nfa.initial_state, transitions, nfa.final_states, pattern)


def _deterministic(
    start: Hashable, transitions: Mapping[Hashable, Mapping[str, Set[Hashable]]], final: Set[Hashable], pattern: str
) -> Automaton:
    """The deterministic automaton of one whose transitions by "" cost nothing; PatternError if that takes too long."""
    closures: dict[Hashable, frozenset[Hashable]] = {}
    work = 0
    too_large = PatternError(
        f"pattern {quoted(pattern)} is too large: its automaton needs more than {_MOST_STATES:,} states, or too long"
    )

    def spend(transitions_followed: int) -> None:
        nonlocal work
        work += transitions_followed
        if work > _MOST_WORK:
            raise too_large

    def closure(state: Hashable) -> frozenset[Hashable]:
        """The state and all that transitions by "" reach from it."""
        if state not in closures:
            reached, queue = {state}, [state]
            while queue:
                after = transitions[queue.pop()].get("", frozenset())
                spend(1 + len(after))
                new = after - reached
                reached |= new
                queue.extend(new)
            closures[state] = frozenset(reached)
        return closures[state]

    def step(states: frozenset[Hashable]) -> dict[str, frozenset[Hashable]]:
        heads: dict[str, set[Hashable]] = {}
        for state in states:
            spend(1 + len(transitions[state]))
            for character, targets in transitions[state].items():
                if character:
                    heads.setdefault(character, set()).update(targets)
        ends = {character: frozenset(targets) for character, targets in heads.items()}
        after = {}
        for targets in set(ends.values()):
            reached = [closure(target) for target in targets]
            spend(sum(map(len, reached)))
            after[targets] = frozenset[Hashable]().union(*reached)
        return {character: after[targets] for character, targets in ends.items()}

    try:
        return explored([closure(start)], step, lambda states: not final.isdisjoint(states), _MOST_STATES)
    except PatternError:
        raise too_large from None


@dataclass
class _Level:
    """A group that is open: its ``places`` so far, whether its last alternative is ``empty``, and its last atom."""

    start: int
    places: int = 0
    empty: bool = True
    atom: int = 0
    atom_places: int = 0


class _Rewriter:
    """Rewrites a pattern in the plain alphabet, token by token."""

    def __init__(self, pattern: str, symbols: str) -> None:
        self.pattern = pattern
        self.symbols = symbols
        self.output: list[str] = []
        self.levels = [_Level(0)]

    def rewritten(self) -> str:
        """The pattern as automata-lib takes it; PatternError if that cannot be."""
        try:
            with without_warnings():  # of sets that a later Python may take otherwise: here they are refused below
                re.compile(self.pattern)
        except re.error as error:
            where = "" if error.pos is None else f": character {error.pos + 1}"
            raise PatternError(f"pattern {quoted(self.pattern)}{where}: {error.msg}") from None
        except (OverflowError, RecursionError):
            raise self._too_large() from None
        before = ""
        for token in _TOKEN.finditer(self.pattern):
            kind = str(token.lastgroup)
            if kind == "repeat" and before == "repeat":
                if token[0] != "?":  # a lazy repeat matches the same whole texts
                    raise self._unsupported(token.start(), token[0])
            else:
                getattr(self, "_" + kind)(token.start(), token[0])
            before = kind
            if self.levels[-1].places > _MOST_PLACES:
                raise self._too_large()
        self._end_alternative()
        return "".join(self.output)

    def _open(self, at: int, text: str) -> None:
        self.levels.append(_Level(len(self.output)))
        self.output.append("(")

    def _close(self, at: int, text: str) -> None:
        self._end_alternative()
        self.output.append(")")
        group = self.levels.pop()
        self._add(group.start, group.places)

    def _either(self, at: int, text: str) -> None:
        self._end_alternative()
        self.output.append("|")
        self.levels[-1].empty = True

    def _end_alternative(self) -> None:
        if self.levels[-1].empty:
            self.output.append("()")

    def _add(self, start: int, places: int) -> None:
        level = self.levels[-1]
        level.atom, level.atom_places, level.empty = start, places, False
        level.places += places

    def _repeat(self, at: int, text: str) -> None:
        level = self.levels[-1]
        bounds = [int(bound or 0) for bound in text.strip("{}").split(",")] if text[0] == "{" else [1]
        if bounds[-1] == 0 and not text.endswith(",}"):  # {0}
            del self.output[level.atom :]
            self.output.append("()")
        else:
            self.output.append(text)
        level.places += level.atom_places * (max(*bounds, 1) - 1)

    def _set(self, at: int, text: str) -> None:
        if text[1] != "^":
            self._check_set(at, text)
        self._class(at, text)

    def _check_set(self, at: int, text: str) -> None:
        """PatternError if a set names a character that is not known; what lies within a range need not be."""
        k = 1
        while k < len(text) - 1:
            escaped = text[k] == "\\"
            character = text[k + escaped]
            if escaped and character.isalnum():
                if character not in _SHORTHAND:
                    raise self._unsupported(at + k, text[k : k + 2])
            elif character not in self.symbols and (escaped or character != "-" or k in (1, len(text) - 2)):
                raise self._unknown(at + k + escaped, character)
            k += 1 + escaped

    def _escape(self, at: int, text: str) -> None:
        if text[1] in _SHORTHAND:
            self._class(at, text)
        elif text[1].isalnum():
            raise self._unsupported(at, text)
        else:
            self._literal(at + 1, text[1])

    def _other(self, at: int, text: str) -> None:
        if text == ".":
            self._class(at, text)
        elif text == "(":
            raise self._unsupported(at, self.pattern[at : at + 3])
        elif text not in "^$":
            self._literal(at, text)
        elif at != (0 if text == "^" else len(self.pattern) - 1):
            raise self._unsupported(at, text)

    def _literal(self, at: int, character: str) -> None:
        if character not in self.symbols:
            raise self._unknown(at, character)
        self._add(len(self.output), 1)
        self.output.append(chr(_PLAIN + self.symbols.index(character)))

    def _class(self, at: int, text: str) -> None:
        """One of several characters: those that ``re`` finds in it."""
        with without_warnings():
            members = [chr(_PLAIN + k) for k, symbol in enumerate(self.symbols) if re.fullmatch(text, symbol)]
        if not members:
            raise PatternError(
                f"pattern {quoted(self.pattern)}: character {at + 1}, {quoted(text)}, matches nothing that these "
                f"weights know ({known(self.symbols)})"
            )
        self._add(len(self.output), 1)
        self.output.append(f"[{''.join(members)}]")

    def _unknown(self, at: int, character: str) -> PatternError:
        return PatternError(
            f"pattern {quoted(self.pattern)}: character {at + 1}, {quoted(character)}, is not known to these weights "
            f"({known(self.symbols)})"
        )

    def _unsupported(self, at: int, text: str) -> PatternError:
        return PatternError(
            f"pattern {quoted(self.pattern)}: character {at + 1}, {quoted(text)}, is not supported: use literals, "
            "classes, groups, |, ?, *, + and {m,n}"
        )

    def _too_large(self) -> PatternError:
        return PatternError(
            f"pattern {quoted(self.pattern)} is too large: written out it has more than {_MOST_PLACES:,} characters"
        )
