"""Take a picture of each main page of each role, on the demonstration, into docs/pictures.

    python docs/make_pictures.py HOME [NAME ...]

The pages are those of a copy of HOME, served as `ffp serve` does, in the system's Chromium, 1,280 pixels wide; a long
page is cut where it stops being the first look. The people are made up and the same each time; what the ledger dates
(when somebody looked) is of the day of the pictures. With names, only these are taken anew.
"""

from __future__ import annotations

import argparse
import base64
import shutil
import struct
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.chromium import started
from tests.end_to_end.looker import Looker, served

FOLDER = Path(__file__).parent / "pictures"
WIDTH, TALLEST = 1280, 1300


@dataclass(frozen=True)
class Picture:
    """One picture: of a user's page, by its address or by what they do; `{child}` is the first of their list."""

    name: str
    user: str
    page: str | Callable[[Looker], None]


def _found(looker: Looker) -> None:
    looker.go("/search")
    looker.tab.get_by_label("Name, birth date").fill("smith")
    looker.press("Search")


def _asked_why(looker: Looker) -> None:
    _found(looker)
    looker.open(looker.tab.locator(".hub-hits a").first)


def _of_others(looker: Looker) -> None:
    _asked_why(looker)
    looker.tab.get_by_label("Reason, without names").fill("call from the school this morning")
    looker.tab.get_by_label("Case reference").fill("FD-102")
    looker.press("Look at this child")


def _team(looker: Looker) -> None:
    looker.go(f"/team?day={datetime.now(UTC).date()}")


def _pair(looker: Looker) -> None:
    looker.go("/review")
    looker.follow("Take the first that is free")


def _evidence(looker: Looker) -> None:
    _pair(looker)
    looker.tab.get_by_label("Can't tell").check()
    looker.tab.get_by_label("Why, in words").fill("too little stands on one side")
    looker.press("Write my verdict down")


def _disclosures(looker: Looker) -> None:
    child = _first_child(looker, "family-help")
    looker.sign_in("ig-officer")
    looker.go("/governance/disclosures")
    looker.tab.get_by_label("The child's identifier").fill(child)
    looker.press("List")


def _lineage(looker: Looker) -> None:
    looker.go("/governance/lineage?column=single_view.children.address_line")


PICTURES = (
    Picture("sign-in", "nobody", "/sign-in"),
    Picture("practitioner-my-children", "family-help", "/"),
    Picture("practitioner-child", "family-help", "/children/{child}"),
    Picture("practitioner-search", "family-help", _found),
    Picture("practitioner-why", "front-door", _asked_why),
    Picture("practitioner-child-of-others", "front-door", _of_others),
    Picture("practitioner-something-wrong", "family-help", "/children/{child}/wrong"),
    Picture("practitioner-take-away", "family-help", "/children/{child}/take-away"),
    Picture("manager-looks", "family-help-manager", _team),
    Picture("manager-lists", "family-help-manager", "/lists"),
    Picture("manager-list", "family-help-manager", "/lists/referred_again"),
    Picture("programme-quarter", "programme-lead", "/quarterly/2025-26-Q4"),
    Picture("programme-figure", "programme-lead", "/quarterly/2025-26-Q4/figures/FN-1.2"),
    Picture("programme-profile", "programme-lead", "/programme"),
    Picture("reviewer-queue", "reviewer", "/review"),
    Picture("reviewer-pair", "reviewer", _pair),
    Picture("reviewer-evidence", "reviewer", _evidence),
    Picture("officer-governance", "ig-officer", "/governance"),
    Picture("officer-agreements", "ig-officer", "/governance/agreements"),
    Picture("officer-disclosures", "ig-officer", _disclosures),
    Picture("officer-lineage", "ig-officer", _lineage),
    Picture("engineer-feeds", "data-engineer", "/engineer"),
    Picture("engineer-model", "data-engineer", "/engineer/model"),
    Picture("accessibility", "nobody", "/accessibility"),
)


def _first_child(looker: Looker, user: str) -> str:
    looker.sign_in(user)
    looker.go("/")
    address = looker.tab.locator('a[href^="/children/"]').first.get_attribute("href")
    return str(address).rpartition("/")[2]


def take(looker: Looker, picture: Picture, folder: Path) -> Path:
    """Take one picture; gives its file. Raises AssertionError when the page complains."""
    page = picture.page
    if isinstance(page, str):
        needs_child = "{child}" in page
        child = _first_child(looker, picture.user) if needs_child else ""
        if picture.user != "nobody" and not needs_child:
            looker.sign_in(picture.user)
        looker.go(page.format(child=child))
    else:
        looker.sign_in(picture.user)
        page(looker)
    assert looker.complaints == [], looker.complaints
    file = folder / f"{picture.name}.png"
    tall = looker.tab.evaluate("document.documentElement.scrollHeight")
    image = looker.tab.screenshot(
        full_page=True, animations="disabled", caret="hide",
        clip={"x": 0, "y": 0, "width": WIDTH, "height": min(tall, TALLEST)},
    )  # fmt: skip
    file.write_bytes(in_few_colours(_pixels(looker.tab, image)))
    return file


def _pixels(tab: Any, image: bytes) -> Any:
    """The red, green and blue of each dot of a picture, decoded by the browser; rows by columns by three."""
    tab.goto("about:blank")  # where no policy forbids our script
    raw = tab.evaluate(_DECODE, base64.b64encode(image).decode())
    wide, tall = raw["size"]
    flat = np.frombuffer(base64.b64decode(raw["dots"]), np.uint8)
    return flat.reshape(tall, wide, 4)[:, :, :3]


_DECODE = """async text => {
  const image = await createImageBitmap(await (await fetch('data:image/png;base64,' + text)).blob());
  const canvas = new OffscreenCanvas(image.width, image.height), paper = canvas.getContext('2d');
  paper.drawImage(image, 0, 0);
  const dots = paper.getImageData(0, 0, image.width, image.height).data;
  let said = '';
  for (let at = 0; at < dots.length; at += 32768)
    said += String.fromCharCode.apply(null, dots.subarray(at, at + 32768));
  return {size: [image.width, image.height], dots: btoa(said)};
}"""


def in_few_colours(dots: Any, most: int = 64) -> bytes:
    """A PNG with a palette: pages have few colours, and their edges' many in-between ones are not missed.

    Of the colours, rounded to 32 steps, the commonest stay; each other becomes the nearest of these.
    """
    tall, wide, _ = dots.shape
    rounded = np.minimum(np.round(dots / 255 * 31) * 255 / 31, 255).astype(np.uint8).reshape(-1, 3)
    colours, place, count = np.unique(rounded, axis=0, return_inverse=True, return_counts=True)
    kept = colours[np.argsort(-count, kind="stable")[:most]]
    apart = ((colours[:, None, :].astype(int) - kept[None].astype(int)) ** 2).sum(axis=2)
    rows = apart.argmin(axis=1).astype(np.uint8)[place.reshape(tall, wide)]
    lines = np.hstack(
        [np.zeros((tall, 1), np.uint8), rows]
    ).tobytes()  # each begins with "no filter"
    head = struct.pack(">IIBBBBB", wide, tall, 8, 3, 0, 0, 0)
    parts = (
        (b"IHDR", head),
        (b"PLTE", kept.tobytes()),
        (b"IDAT", zlib.compress(lines, 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def take_all(browser: Any, home: Path, wanted: list[str]) -> int:
    """Take the wanted pictures, or all; gives how many bytes they are together."""
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder:
        copy = Path(folder) / "home"
        shutil.copytree(home, copy)
        with served(copy) as address:
            for picture in PICTURES:
                if wanted and picture.name not in wanted:
                    continue
                context = browser.new_context(viewport={"width": WIDTH, "height": 800})
                take(Looker(context.new_page(), address), picture, FOLDER)
                context.close()
    return sum(file.stat().st_size for file in FOLDER.glob("*.png"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("home", type=Path)
    parser.add_argument("names", nargs="*")
    asked = parser.parse_args()
    with started() as browser:
        size = take_all(browser, asked.home.resolve(), asked.names)
    sys.stdout.write(f"{FOLDER}: {size / 1000:,.0f} kB\n")


if __name__ == "__main__":
    main()
