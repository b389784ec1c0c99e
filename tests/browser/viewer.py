"""OHIF's viewer as its user knows it, and what pydicom says that it has to show."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom.pixels.processing import apply_modality_lut

from tests.browser.chromium import Chromium

CELLS = 2
"""A picture is compared by the means of its quarters, so that a turned one is seen too."""

SETTLES_S = 60.0
"""How long a viewer may take until all of its parts tell the same image."""

Read = TypeVar("Read")


@dataclass(frozen=True)
class Picture:
    """What a viewport shows: `means` are those of the picture's quarters, in rows."""

    greys: int
    colours: int
    hash: int
    means: Sequence[float]


class Viewer:
    """The viewer of an OHIF at `url`."""

    def __init__(self, browser: Chromium, url: str) -> None:
        self.browser = browser
        self._url = url

    def go(self, study_uid: str, series_uid: str = "", **more: str) -> None:
        """Go to a study by its address, and where one is named, to its only series."""
        asked = {"StudyInstanceUIDs": study_uid, "SeriesInstanceUIDs": series_uid, **more}
        query = "&".join(f"{name}={value}" for name, value in asked.items() if value)
        self.browser.call("goto", url=f"{self._url}/viewer?{query}")

    def expect_picture(self, greys: int, viewport: int = 0, not_hash: int | None = None) -> None:
        """Wait until a viewport shows so many grey values, and another picture than `not_hash`."""
        told = {"viewport": viewport, "greys": greys, "not": not_hash}
        self.browser.call("wait", name="hasPicture", argument=told)

    def picture(self, columns: int = 1, rows: int = 1, viewport: int = 0) -> Picture:
        """What is shown of an image of this size."""
        told = {"viewport": viewport, "columns": columns, "rows": rows, "cells": CELLS}
        return Picture(**self.browser.call("wait", name="picture", argument=told))

    def expect_place(self, place: str) -> None:
        """Wait until a corner tells the place in the stack, such as 2/64."""
        self.browser.call("wait", name="showsCorner", argument=f"({place})")

    def corners(self) -> str:
        """The texts in the corners."""
        return "\n".join(self.browser.call("read", name="corners"))

    def scroll(self) -> None:
        """Go on by one image."""
        self.browser.call("wheel", selector="[data-cy=viewport-pane]", dy=100)

    def layout(self, name: str) -> None:
        """Choose one of the layouts."""
        self.browser.call("click", selector="[data-cy=Layout]")
        self.browser.call("click", selector=f'text="{name}"')


@dataclass(frozen=True)
class Stack:
    """The images of one series."""

    study_uid: str
    uid: str
    files: Mapping[int, Path]
    """By InstanceNumber."""

    def means(self, corners: str) -> list[float]:
        """What the quarters have to be of the image that the corners name, in their window."""
        number, at, _ = place(corners)
        dataset = pydicom.dcmread(self.files[number or min(self.files)])
        pixels = dataset.pixel_array
        if int(dataset.get("NumberOfFrames", 1)) > 1:
            pixels = pixels[at - 1]
        return _means(_grey(dataset, pixels, _window(corners)))

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        dataset = pydicom.dcmread(next(iter(self.files.values())), stop_before_pixels=True)
        return dataset.Columns, dataset.Rows

    @property
    def is_coloured(self) -> bool:
        """Whether its images have colours."""
        dataset = pydicom.dcmread(next(iter(self.files.values())), stop_before_pixels=True)
        return bool(dataset.SamplesPerPixel == 3)


def stack(folder: Path, accession: str, description: str) -> Stack:
    """The series of that description, of the study with that AccessionNumber."""

    def is_one(path: Path) -> bool:
        dataset = pydicom.dcmread(path, stop_before_pixels=True)
        return (accession, description) == (dataset.AccessionNumber, dataset.SeriesDescription)

    return stack_of([path for path in sorted(folder.rglob("*.dcm")) if is_one(path)])


def stack_of(paths: Sequence[Path]) -> Stack:
    """The series that these files are."""
    headers = {path: pydicom.dcmread(path, stop_before_pixels=True) for path in paths}
    ((study_uid, uid),) = {
        (str(h.StudyInstanceUID), str(h.SeriesInstanceUID)) for h in headers.values()
    }
    return Stack(study_uid, uid, {int(h.InstanceNumber): path for path, h in headers.items()})


def settled(read: Callable[[], Read]) -> Read:
    """What `read` returns as soon as it raises no AssertionError; its last one where it goes on.

    A page draws its pictures and its texts, and asks for what they need, one after the other.
    """
    until = time.monotonic() + SETTLES_S
    while True:
        try:
            return read()
        except AssertionError:
            if time.monotonic() > until:
                raise
        time.sleep(0.2)  # the browser needs the machine


def assert_shows(viewer: Viewer, images: Stack) -> Picture:
    """The image that the viewer names gets on the screen, with the window that it names."""

    def read() -> Picture:
        corners = viewer.corners()
        shown = viewer.picture(*images.size)
        expected = images.means(corners)
        assert sum(expected) == pytest.approx(sum(shown.means), rel=0.05)
        assert expected == pytest.approx(shown.means, rel=0.05, abs=2)
        return shown

    return settled(read)


def _grey(dataset: pydicom.Dataset, pixels: Any, window: tuple[float, float] | None) -> Any:
    if dataset.SamplesPerPixel == 3:
        return pixels.mean(axis=2)
    values = np.asarray(apply_modality_lut(pixels, dataset), dtype=float)
    assert window is not None
    width, level = window
    # PS3.3 C.11.2.1.2.1
    grey = ((values - (level - 0.5)) / (width - 1) + 0.5).clip(0, 1) * 255
    return 255 - grey if dataset.PhotometricInterpretation == "MONOCHROME1" else grey


def _means(grey: NDArray[np.float64]) -> list[float]:
    halves = np.array_split(grey, CELLS, axis=0)
    return [float(cell.mean()) for half in halves for cell in np.array_split(half, CELLS, axis=1)]


def _window(corners: str) -> tuple[float, float] | None:
    found = re.search(r"W: ?(-?[\d.]+) L: ?(-?[\d.]+)", corners)
    return (float(found[1]), float(found[2])) if found else None


def place(corners: str) -> tuple[int | None, int, int]:
    """InstanceNumber, where it is told, place and number of images, as a corner tells them."""
    found = re.search(r"(?:I: ?(\d+) ?)?\(?\b(\d+)/(\d+)\b", corners)
    assert found, corners
    return int(found[1]) if found[1] else None, int(found[2]), int(found[3])
