"""Layout ``digit``: where the one digit of a picture is, and its ink.

The whole picture is searched at a working size, with windows from half of it downwards; each window
gives a candidate, and the one that looks most like pen on paper wins. If that is small in the
picture, the search is repeated close up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lenet5.answer import Box
from lenet5.normalise import BLANK
from lenet5.reading.components import components
from lenet5.reading.ink import FAINTEST, evened, ink_within, shrunk
from lenet5.reading.parts import PHOTO, are_of_the_digit, parts_of
from lenet5.reading.rules import are_filled, frames, strokes, without_box, without_hem
from lenet5.reading.ruling import without_ruling

__all__ = ["fills", "find_digit", "is_boxed", "whole_ink"]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_WORKING: Final = 384  # pixels of the longer side at which a picture is searched
_WINDOWS: Final = (2, 4, 8, 16)  # the longer side is this many windows long
_SURER: Final = 1.25  # times as likely must the unlikelier polarity look
_COVERS: Final = 0.6  # of the picture, and of its own box: a sheet of paper covers more
_PART: Final = 0.9  # of a candidate's ink belongs to another of which it is a part,
_DARKER: Final = 0.2  # unless it is darker by so much of its own darkness
_ALONE: Final = 0.8  # of the ink in a box or picture is a digit's that is alone in it
_TALL: Final = 0.9  # of a picture's height has a digit to which it was cropped
_WIDEST: Final = 1.2  # times as wide as high is no digit
_ENOUGH: Final = 10_000  # pixels tell how levels spread
_INK_ITSELF: Final = 2.5  # times as far from its surroundings as what is around it is ink, not paper
_SHARE: Final = 0.4  # of the darkness of ink is seen at its edge, at least
_FEWEST_RULES: Final = 1  # level lines across a picture of one digit: the paper is ruled
_HELD: Final = 0.25  # of a drawn box's height has what it holds, at least
_MOSTLY: Final = 0.6  # of a mark lies where the digit was seen, if it is the digit's
_SPARE: Final = 0.12  # of its longer side: so far beyond its box a digit may go when it is looked at close up,
_COARSE: Final = 4  # and so many pixels of those at which it was found
_DOT: Final = 4  # pixels: what is smaller is no digit
_GOOD: Final = 0.25  # of a digit's ink: with less a mark is a dot beside it
_FAT: Final = 0.45  # of a digit's longer side: no pen is that wide


@dataclass(frozen=True)
class Candidate:
    """Ink (h, w) float32 in 0..1 that may be the digit, its box, and how much it looks like pen on paper.

    ``step`` is by how much darker it is than what surrounds it, ``clear`` the same in standard deviations of all the
    rest; 0 if it is a filled shape. ``main`` is its main part by itself with its box, if it has others, as a word
    beside a digit may be; ``beside`` is whether marks as tall were left out, ``boxed`` whether a box around it was,
    ``ruled`` whether what its paper is ruled with was. ``dark`` is whether it is darker than its paper.
    """

    ink: Floats
    box: Box
    likeness: float
    step: float
    clear: float
    main: tuple[Floats, Box] | None = None
    beside: bool = False
    boxed: bool = False
    ruled: bool = False
    dark: bool = True

    def moved(self, place: Callable[[Box], Box]) -> Candidate:
        """The same where ``place`` takes its boxes."""
        main = self.main and (self.main[0], place(self.main[1]))
        return replace(self, box=place(self.box), main=main)


@dataclass(frozen=True)
class _Seen:
    """What is known of a digit that is looked at close up: its ``box``, whether it is ``dark``, and on ruled paper."""

    box: Box
    dark: bool
    ruled: bool


def find_digit(grey: Floats, hemmed: bool = False) -> Candidate | None:
    """The one digit in grey levels (H, W) 0..1; None where there is no ink.

    In a picture that may be ``hemmed`` lines along its border are no strokes.
    """
    if min(grey.shape) < 3:
        return None
    found = _search(grey, hemmed=hemmed)
    if found is not None and _longer(found.box) < _DOT:
        return None
    if found is None or max(grey.shape) <= _WORKING or _longer(found.box) > _WORKING:
        return found
    margin = _longer(found.box)
    left, top = max(found.box.left - margin, 0), max(found.box.top - margin, 0)
    nearby = grey[top : found.box.bottom + margin, left : found.box.right + margin]
    spare = _SPARE * margin + _COARSE * max(grey.shape) / _WORKING
    near = (found.box.left - spare, found.box.top - spare, found.box.right + spare, found.box.bottom + spare)
    own = Box(*(max(int(edge - origin), 0) for edge, origin in zip(near, (left, top) * 2, strict=True)))
    closer = _search(nearby, _Seen(own, found.dark, found.ruled), hemmed)
    if closer is None:
        return found
    closer = closer.moved(lambda b: Box(b.left + left, b.top + top, b.right + left, b.bottom + top))
    return replace(closer, clear=found.clear if closer.clear else 0.0)


def is_boxed(grey: Floats) -> bool:
    """Whether a picture (H, W) 0..1 shows a box with one digit in it, and hardly anything else."""
    small = shrunk(grey, _WORKING)
    ink = ink_within(evened(small).likelier, max(max(small.shape) // _WINDOWS[0], 7))
    if ink is None or (mask := without_box(ink.mask)) is ink.mask:
        return False
    parts = parts_of(mask)
    main = int(parts.area.argmax())
    wide, tall = parts.right[main] - parts.left[main], parts.bottom[main] - parts.top[main]
    return bool(parts.area[main] >= _ALONE * mask.sum() and wide <= _WIDEST * tall)


def fills(grey: Floats) -> bool:
    """Whether one mark, about all the ink there is, goes from the top to the bottom of a picture (H, W) 0..1."""
    small = shrunk(grey, _WORKING)
    height, width = small.shape
    if width > _WIDEST * height:
        return False
    ink = ink_within(evened(small).likelier, max(max(small.shape) // _WINDOWS[0], 7))
    if ink is None:
        return False
    found = components(ink.mask)
    main = int(found.area.argmax())
    return bool(found.height[main] >= _TALL * height and found.area[main] >= _ALONE * ink.mask.sum())


def whole_ink(grey: Floats) -> Floats | None:
    """All ink of a picture (H, W) 0..1 that shows no digit, cut out as if it were one; None without any."""
    small = shrunk(grey, _WORKING)
    ink = ink_within(evened(small).likelier, max(max(small.shape) // _WINDOWS[0], 7))
    if ink is None or not ink.mask.any():
        return None
    own = _cut_out(ink.level, ink.mask)[1]
    return own if own.max() > BLANK else None


def _longer(box: Box) -> int:
    return max(box.right - box.left, box.bottom - box.top)


def _is_around(outer: Box, inner: Box) -> bool:
    """Whether a box reaches beyond another on all four sides."""
    beside = outer.left < inner.left and outer.right > inner.right
    return beside and outer.top < inner.top and outer.bottom > inner.bottom


def _search(grey: Floats, seen: _Seen | None = None, hemmed: bool = False) -> Candidate | None:
    """The best candidate of either polarity, its box in pixels of ``grey``; or of what was ``seen`` before."""
    small = shrunk(grey, _WORKING)
    longer = max(small.shape)
    scale_x, scale_y = grey.shape[1] / small.shape[1], grey.shape[0] / small.shape[0]
    about, fewest = None, _FEWEST_RULES
    if seen:
        about = (
            slice(int(seen.box.top / scale_y), math.ceil(seen.box.bottom / scale_y)),
            slice(int(seen.box.left / scale_x), math.ceil(seen.box.right / scale_x)),
        )
        fewest = 0 if seen.ruled else _FEWEST_RULES
    windows = [max(longer // parts, 7) for parts in (_WINDOWS if longer > PHOTO else _WINDOWS[:1])]
    light = evened(small)
    if seen:
        light = replace(light, dark=seen.dark)
    likelier = light.likelier
    found = _whole([_candidate(likelier, window, fewest, about, hemmed) for window in windows], likelier)
    boxed = [one for one in found if one.boxed]
    best = _best([one for one in found if not any(_is_around(one.box, inner.box) for inner in boxed)])
    own_dark = light.dark
    if longer > PHOTO and not boxed and not seen:  # a shadow can hide which is ink
        other = light.other
        turned = _whole([_candidate(other, window, fewest, hemmed=hemmed) for window in windows], other)
        likeliest = _best([one for one in turned if not _is_sheet(one, small.shape) and not _is_paper(one, best)])
        units = [float(np.ptp(small)) / max(float(np.ptp(flat)), FAINTEST) for flat in (likelier, other)]
        if likeliest and (best is None or likeliest.likeness * units[1] > _SURER * best.likeness * units[0]):
            best, own_dark = likeliest, not light.dark
    if best is None:
        return None

    def enlarged(box: Box) -> Box:
        left, right = int(box.left * scale_x), round(box.right * scale_x)
        return Box(left, int(box.top * scale_y), right, round(box.bottom * scale_y))

    return replace(best.moved(enlarged), dark=own_dark)


def _is_sheet(candidate: Candidate, shape: tuple[int, ...]) -> bool:
    """Whether a candidate is the paper in a box, which fills most of the picture and of its own box."""
    height, width = candidate.ink.shape
    wide = height > _COVERS * shape[0] and width > _COVERS * shape[1]
    return wide and bool((candidate.ink > 0.5).mean() > _COVERS)


def _is_paper(other: Candidate, best: Candidate | None) -> bool:
    """Whether a candidate of the other polarity is the paper within the strokes of the best one.

    It differs as much from its surroundings then. If it does much more, it is the ink, the best one paper around it.
    """
    if best is None or best.clear == 0 or (best.ink > 0.5).mean() > _COVERS:
        return False
    return _is_around(best.box, other.box) and other.step < _INK_ITSELF * best.step


def _whole(candidates: Sequence[Candidate | None], flat: Floats) -> list[Candidate]:
    """The candidates, those of the largest window first, without those that are mere parts of one before them."""
    found: list[Candidate] = []
    for one in candidates:
        if one and not any(_is_part(one, before, flat) for before in found):
            found.append(one)
    return found


def _is_part(inner: Candidate, outer: Candidate, flat: Floats) -> bool:
    """Whether a candidate's ink is some of another's and no darker than the rest of it: a digit in a shadow is."""
    own, whole = (_inked(one, flat.shape) for one in (inner, outer))
    rest = whole & (cv2.dilate(own.view(np.uint8), np.ones((3, 3), np.uint8)) == 0)
    if not own.any() or not rest.any() or (own & whole).sum() < _PART * own.sum():
        return False
    dark = float(np.median(flat[own]))
    return bool(np.median(flat[rest]) - dark < _DARKER * (1 - dark))


def _inked(one: Candidate, shape: tuple[int, ...]) -> Mask:
    """Where in the searched picture (H, W) a candidate's ink is."""
    ink = np.zeros(shape, bool)
    ink[one.box.top : one.box.bottom, one.box.left : one.box.right] = one.ink > 0.5
    return ink


def _best(found: Sequence[Candidate]) -> Candidate | None:
    """The likeliest, or one of a larger window that is nearly as likely."""
    most = max((candidate.likeness for candidate in found), default=0.0)
    return next((candidate for candidate in found if candidate.likeness >= 0.8 * most), None)


def _candidate(
    flat: Floats, window: int, fewest: int, about: tuple[slice, slice] | None = None, hemmed: bool = False
) -> Candidate | None:
    """The parts of ink, seen through one window, that would be the digit: of all, or of what lies ``about`` there.

    With ``fewest`` rules or more the paper is ruled, if it is more than a small picture's.
    """
    ink, photo = ink_within(flat, window), max(flat.shape) > PHOTO
    if ink is None:
        return None
    plain = without_ruling(ink, fewest) if photo else ink.mask
    if not plain.any():
        plain = ink.mask
    mask = without_box(without_hem(plain) if hemmed else plain)
    if photo:
        mask = _without_frames(mask)
    ruled, boxed = plain is not ink.mask, mask is not plain
    if about:
        mask = _lying(mask, about)
    if not mask.any():
        return None
    parts = parts_of(mask)
    chosen = are_of_the_digit(parts)
    kept = chosen.kept
    if not kept.any():
        return None
    mask = np.concatenate([[False], kept])[parts.labels]
    touches = bool(parts.touches[kept].any())
    likeness, step, clear = _likeness(flat, mask, touches)
    if likeness == 0 or (touches and window < max(flat.shape) // _WINDOWS[0]):
        return None  # what a small window sees at the border is the rim of a shadow
    box, own = _cut_out(ink.level, mask)
    if own.max() <= BLANK:
        return None
    within = slice(box.top, box.bottom), slice(box.left, box.right)
    if photo and (_is_filled(mask, box) or _is_hollowed(flat[within], mask[within])):
        likeness, clear = 0.4 * likeness, 0.0
    by_itself = None
    if photo and np.count_nonzero(kept) > 1:
        main_box, main_own = _cut_out(ink.level, parts.labels == chosen.main + 1)
        by_itself = (main_own, main_box) if main_own.max() > BLANK else None
    return Candidate(own, box, likeness, step, clear, by_itself, chosen.beside, boxed, ruled)


def _cut_out(level: Floats, mask: Mask) -> tuple[Box, Floats]:
    """The box of a mask (H, W), and in it the ink (h, w) there with its soft rim."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    near = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    return box, np.where(near, level, 0)[box.top : box.bottom, box.left : box.right]


def _without_frames(mask: Mask) -> Mask:
    """The mask (H, W) without drawn boxes that hold something: a stroke beside a side of one is no part of it."""
    found = components(mask)
    gone = frames(found)
    for k in np.flatnonzero(gone):
        inside = (found.left > found.left[k]) & (found.right < found.right[k])
        inside &= (found.top > found.top[k]) & (found.bottom < found.bottom[k])
        gone[k] = bool((found.height[inside] >= _HELD * found.height[k]).any())
    return mask & ~np.concatenate([[False], gone])[found.labels] if gone.any() else mask


def _lying(mask: Mask, about: tuple[slice, slice]) -> Mask:
    """What of a mask (H, W) lies mostly about there: of what goes on beyond it nothing is the digit's."""
    found = components(mask)
    within = np.bincount(found.labels[about].ravel(), minlength=len(found) + 1)[1:]
    return np.asarray(np.concatenate([[False], within >= _MOSTLY * found.area])[found.labels])


def _spread(levels: Floats) -> float:
    """The standard deviation of levels (N,) that are normally distributed but for a tenth of them, as rules are."""
    if len(levels) == 0:
        return 0.0
    levels = levels[:: 1 + len(levels) // _ENOUGH]
    ends = (len(levels) // 10, len(levels) - 1 - len(levels) // 10)
    low, high = np.partition(levels, ends)[list(ends)]
    return float(high - low) / 2.563


def _is_filled(mask: Mask, box: Box) -> bool:
    """Whether a good part of a mask (H, W), whose ink is in this box, is a shape without strokes in it."""
    found = components(mask)
    main = found.area >= _GOOD * found.area.sum()
    return bool(are_filled(found, strokes(found, main), box.bottom - box.top)[main].any())


def _is_hollowed(flat: Floats, mask: Mask) -> bool:
    """Whether what a mask (h, w) leaves out of its convex hull is ink, too, which the window was too small for."""
    points = np.argwhere(mask)[:, ::-1].astype(np.int32)
    hull = cv2.fillConvexPoly(np.zeros(mask.shape, np.uint8), cv2.convexHull(points), 1).astype(bool)
    left_out = hull & ~cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    ink, beyond = flat[mask], flat[~hull]
    if not left_out.any() or not beyond.size:
        return False
    return bool(np.median(flat[left_out]) < (np.median(ink) + np.median(beyond)) / 2)


def _likeness(flat: Floats, mask: Mask, touches: bool) -> tuple[float, float, float]:
    """How much darker than what surrounds it the masked ink is; less if it is cut by the border or fat; 0 for shading.

    And the same without these deductions, and how many standard deviations of all the rest that is. Shading has no
    edge, so that its surroundings are nearly as dark as itself, both beside the rest of the picture and by themselves.
    A shadow is fat and reaches the border, which together no digit in a photo does.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    size = max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1
    reach = max(2, round(0.04 * size))
    grown = cv2.dilate(mask.astype(np.uint8), np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)).astype(bool)
    around = grown & ~mask
    inside = float(flat[mask].mean())
    step = (float(flat[around].mean()) if around.any() else 1.0) - inside
    shades = max(flat.shape) > PHOTO and step < _SHARE * min(float(np.quantile(flat, 0.9)) - inside, inside + step)
    if step < FAINTEST or shades:
        return 0.0, 0.0, 0.0
    outline = float(np.count_nonzero(mask[1:] != mask[:-1]) + np.count_nonzero(mask[:, 1:] != mask[:, :-1]))
    fat = 2 * float(mask.sum()) / max(outline, 1.0) > _FAT * size
    if fat and touches and max(flat.shape) > PHOTO:
        return 0.0, 0.0, 0.0
    rest = _spread(flat[~grown])
    return step * (0.4 if touches else 1.0) * (0.4 if fat else 1.0), step, step / max(rest, 1e-3)
