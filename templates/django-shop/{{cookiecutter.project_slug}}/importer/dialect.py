"""Products as Shopify writes them down (help.shopify.com, "Using CSV files to import and export products").

A line is a variant. Lines of one product follow each other and have its `Handle`; its name, text and category are on
the first of them. Lines without SKU and price are further pictures; they are left out, as are columns that we lack.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from html import unescape
from typing import IO

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.utils.html import strip_tags
from django.utils.text import slugify

from catalogue.models import DEEPEST, TaxClass
from config.money import Money
from importer.errors import FileRefusedError

NEEDED = ("Handle", "Title", "Variant SKU", "Variant Price")
DEFAULT = "Default Title"  # the option of a product that has none
FORMULA = ("=", "+", "-", "@")
MOST_LINES = 200_000
MOST_PROBLEMS = 100
MOST_VARIANTS = 1000  # of a product
LONGEST = {"Title": 120, "Variant SKU": 40, "Handle": 120}
LONGEST_LABEL, LONGEST_TEXT = 80, 5000


@dataclass(frozen=True, slots=True)
class Row:
    """A variant."""

    line: int
    sku: str
    label: str
    price: Decimal
    stock: int


@dataclass(slots=True)
class Item:
    """A product, with its variants."""

    line: int
    slug: str
    name: str
    description: str
    category: tuple[str, ...]
    live: bool
    tax_class: str
    rows: list[Row] = field(default_factory=list)
    labels: set[str] = field(default_factory=set)


class WrongError(Exception):
    """A line that cannot be understood. The text says why."""


class Reader:
    """Reads a file line by line: its products, and what is wrong with it. No more of it is in memory than a product."""

    def __init__(self, file: IO[bytes]) -> None:
        self.problems: list[tuple[int, str]] = []
        self._lines = csv.DictReader(decoded(file))
        self._skus: dict[str, int] = {}
        self._handles: dict[str, int] = {}
        try:
            columns = self._lines.fieldnames or []
        except csv.Error as error:
            raise FileRefusedError([(1, f"It is no CSV: {error}.")]) from error
        if twice := sorted({name for name in columns if columns.count(name) > 1}):
            raise FileRefusedError([(1, f"There are two columns {', '.join(twice)}.")])
        if missing := [name for name in NEEDED if name not in columns]:
            hint = " Columns are separated by commas." if any(";" in name for name in columns) else ""
            raise FileRefusedError([(1, f"There is no column {', '.join(missing)}.{hint}")])

    def items(self) -> Iterator[Item]:
        """The products that can be understood; what cannot is among `problems`."""
        item: Item | None = None
        handle: str | None = None
        for number, cells in enumerate(self._rows()):
            line = self._lines.line_num
            if number >= MOST_LINES:
                self.problems.append((line, f"No more than {MOST_LINES} lines are read."))
                return
            try:
                if cells["Handle"] != handle:
                    if item and self._can_be_bought(item):
                        yield item
                    handle, item = cells["Handle"], None
                    item = self._item(line, cells)
                if item and (cells["Variant SKU"] or cells["Variant Price"]):
                    item.rows.append(self._row(line, cells, item))
            except WrongError as error:
                self.problems.append((line, str(error)))
        if item and self._can_be_bought(item):
            yield item

    def _rows(self) -> Iterator[dict[str, str]]:
        """Lines as dicts of stripped text."""
        try:
            for cells in self._lines:
                if len(self.problems) >= MOST_PROBLEMS:
                    self.problems.append((self._lines.line_num, f"No more than {MOST_PROBLEMS} problems are told."))
                    return
                if any(part is None for part in (*cells, *cells.values())):
                    cut = "It has more or fewer cells than the first line: is a quote open?"
                    self.problems.append((self._lines.line_num, cut))
                else:
                    yield {name: value.replace("\x00", "").strip() for name, value in cells.items()}
        except csv.Error as error:
            self.problems.append((self._lines.line_num, f"It is no CSV: {error}."))

    def _can_be_bought(self, item: Item) -> bool:
        """Whether it has a variant; it is a problem of its own only where none of its lines has one."""
        if not item.rows and not any(line >= item.line for line, _ in self.problems):
            self.problems.append((item.line, "It has no line with a Variant SKU and a Variant Price."))
        return bool(item.rows)

    def _item(self, line: int, cells: dict[str, str]) -> Item:
        handle, name = fitting(cells, "Handle"), fitting(cells, "Title")
        if first := self._handles.get(handle):
            raise WrongError(f"Handle {handle!r} was in line {first} already: its lines must follow each other.")
        self._handles[handle] = line
        if slugify(handle) != handle:
            raise WrongError(f"Handle {handle!r}: use a-z, 0-9, - and _.")
        path = harmless("category", cells.get("Product Category") or cells.get("Type") or "Products")
        category = tuple(shelf for part in path.split(">") if slugify(shelf := part.strip()[:80]))[:DEEPEST]
        return Item(
            line=line,
            slug=handle,
            name=name,
            description=plain(cells.get("Body (HTML)", ""))[:LONGEST_TEXT],
            category=category or ("Products",),
            live=cells.get("Published", "").upper() != "FALSE" and cells.get("Status", "").lower() in ("", "active"),
            tax_class=TaxClass.ZERO if cells.get("Variant Taxable", "").upper() == "FALSE" else TaxClass.STANDARD,
        )

    def _row(self, line: int, cells: dict[str, str], item: Item) -> Row:
        sku = fitting(cells, "Variant SKU")
        if first := self._skus.get(sku):
            raise WrongError(f"SKU {sku!r} was in line {first} already.")
        self._skus[sku] = line
        values = [cells.get(f"Option{number} Value", "") for number in (1, 2, 3)]
        label = ", ".join(harmless("option", value) for value in values if value and value != DEFAULT)[:LONGEST_LABEL]
        if label in item.labels:
            raise WrongError(f"There are two variants {label!r} of this product.")
        if len(item.labels) >= MOST_VARIANTS:
            raise WrongError(f"A product has no more than {MOST_VARIANTS} variants.")
        item.labels.add(label)
        price, pieces = amount(cells["Variant Price"]), cells.get("Variant Inventory Qty", "") or "0"
        if price is None:
            raise WrongError(f"Variant Price {cells['Variant Price'][:20]!r} is no price in {settings.CURRENCY}.")
        if not re.fullmatch(r"-?[0-9]{1,6}", pieces):
            raise WrongError(f"Variant Inventory Qty {pieces[:20]!r} is no number of pieces.")
        return Row(line, sku, label, price, max(int(pieces), 0))


def fitting(cells: dict[str, str], column: str) -> str:
    """A text that must be there. Raises WrongError where it is missing, too long, or a formula to a spreadsheet."""
    text = cells[column]
    if not text:
        raise WrongError(f"There is no {column}.")
    if len(text) > LONGEST[column]:
        raise WrongError(f"{column} has more than {LONGEST[column]} letters.")
    return harmless(column, text)


def harmless(what: str, text: str) -> str:
    """A text that a spreadsheet, into which somebody exports it one day, does not carry out."""
    if text.startswith(FORMULA):
        raise WrongError(f"{what} {text[:20]!r} begins like a formula.")
    return text


def decoded(file: IO[bytes]) -> Iterable[str]:
    """The lines as text. Raises FileRefusedError at the first that is not UTF-8."""
    for number, line in enumerate(file, start=1):
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise FileRefusedError([(number, "This is not UTF-8. Save the file as “CSV UTF-8”.")]) from error


def amount(typed: str) -> Decimal | None:
    """A price in the shop's currency, or None where it is none."""
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,6})?", typed):
        return None
    price = Decimal(typed)
    return price if Money(price, settings.CURRENCY).amount == price else None


def plain(html: str) -> str:
    """The text of it, a line for each paragraph. What a page shows is escaped anyway."""
    try:
        return unescape(strip_tags(re.sub(r"<(br|/p|/li)[^>]*>", "\n", html))).replace("\x00", "").strip()
    except SuspiciousOperation as error:
        raise WrongError("Body (HTML) has too many tags in each other.") from error
