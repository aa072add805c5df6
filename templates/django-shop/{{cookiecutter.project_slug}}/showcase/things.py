"""What the demo sells: sixty things of a made-up shop, the same each time."""

import io
import random
from decimal import Decimal
from itertools import product

from PIL import Image, ImageDraw

SHELVES = {
    "Kitchen": ["Cups", "Boards", "Bowls"],
    "Table": ["Cloths", "Candles"],
    "Desk": ["Notebooks", "Lamps"],
}
# Of each shelf: the kind, the names, the lowest price, and what sets variants apart.
WORDS = {
    "Cups": ("cup", "Harbour Moor Slate Linden Quarry Fen Ridge Ember Coast", "14.90", ["white", "blue", "black"]),
    "Boards": ("board", "Oak Walnut Maple Ash Cherry Beech Olive Larch", "29.00", ["small", "large"]),
    "Bowls": ("bowl", "Tide Dune Cloud Loam Frost Clay Reed Moss Brook", "22.50", ["14 cm", "20 cm", "28 cm"]),
    "Cloths": ("cloth", "Linen Flax Stripe Check Hem Weft Plain Selvedge", "18.00", ["sand", "rust", "ink"]),
    "Candles": ("candle", "Pillar Taper Beeswax Night Garden Smoke Table Storm", "9.50", [""]),
    "Notebooks": ("notebook", "Field Ledger Grid Dot Blank Travel Day Long Pocket", "12.00", ["A5", "A6"]),
    "Lamps": ("lamp", "Arc Clip Dome Globe Reach Fold Spot Stem Low", "89.00", ["brass", "black"]),
}
TEXT = (
    "Made in small numbers by people who sign what they make. It gets better with use, can be repaired, and comes in a "
    "box that you will want to keep. Wipe it with a damp cloth; the rest is yours to find out."
)
PALETTES = [("#e8e2d6", "#31584f", "#d98e4a"), ("#dfe6ea", "#2c4a6e", "#c9a14a"), ("#efe4de", "#6b3f3a", "#4f7a6b")]


def products() -> list[tuple[str, str, str, Decimal, list[str]]]:
    """Shelf, name, slug, price and labels of each, sixty in all, one of each shelf after the other."""
    made = []
    for number in range(9):
        for shelf, (kind, names, price, labels) in WORDS.items():
            if name := dict(enumerate(names.split())).get(number):
                made.append((shelf, f"{name} {kind}", f"{name}-{kind}".lower(), Decimal(price) + number % 4, labels))
    return made


def picture(number: int, kind: str) -> Image.Image:
    """A still life: one thing on a table, in the light of a window."""
    chance = random.Random(number)  # noqa: S311  a picture, no secret
    back, dark, warm = PALETTES[number % len(PALETTES)]
    size = 1280
    drawn = Image.new("RGB", (size, size), back)
    pen = ImageDraw.Draw(drawn)
    horizon = 860 + chance.randint(-30, 30)
    pen.rectangle((0, horizon, size, size), fill=mixed(back, dark, 0.18))
    x = 220 + chance.randint(0, 120)
    pen.polygon([(x, 0), (x + 260, 0), (x + 420, horizon), (x + 120, horizon)], fill=mixed(back, "#ffffff", 0.45))
    pen.ellipse((340, horizon + 20, 1000, horizon + 150), fill=mixed(back, dark, 0.35))
    shapes = {"Cups": cup, "Bowls": bowl, "Lamps": lamp, "Candles": candle}
    shapes.get(kind, slab)(pen, horizon + 90, dark, warm, chance)
    return drawn


def mixed(one: str, other: str, share: float) -> tuple[int, ...]:
    """A colour between two."""
    pairs = zip((one[1:3], one[3:5], one[5:7]), (other[1:3], other[3:5], other[5:7]), strict=True)
    return tuple(round(int(a, 16) * (1 - share) + int(b, 16) * share) for a, b in pairs)


def cup(pen: ImageDraw.ImageDraw, floor: int, dark: str, warm: str, chance: random.Random) -> None:
    width, height = 170 + chance.randint(0, 60), 330 + chance.randint(0, 120)
    pen.arc((640 + width - 60, floor - height + 60, 640 + width + 150, floor - 90), 250, 110, fill=dark, width=36)
    pen.rounded_rectangle((640 - width, floor - height, 640 + width, floor), 70, fill=dark)
    pen.ellipse((640 - width, floor - height - 40, 640 + width, floor - height + 40), fill=warm)


def bowl(pen: ImageDraw.ImageDraw, floor: int, dark: str, warm: str, chance: random.Random) -> None:
    width, height = 300 + chance.randint(0, 60), 250 + chance.randint(0, 60)
    pen.pieslice((640 - width, floor - 2 * height, 640 + width, floor), 0, 180, fill=dark)
    pen.ellipse((640 - width, floor - height - 55, 640 + width, floor - height + 55), fill=warm)


def lamp(pen: ImageDraw.ImageDraw, floor: int, dark: str, warm: str, chance: random.Random) -> None:
    lean = chance.randint(-90, 90)
    pen.line([(640, floor - 20), (640 + lean, floor - 560)], fill=dark, width=26)
    pen.ellipse((500, floor - 50, 780, floor + 10), fill=dark)
    corners = [(540, 720), (740, 720), (830, 500), (450, 500)]
    pen.polygon([(x + lean, floor - y) for x, y in corners], fill=warm)


def candle(pen: ImageDraw.ImageDraw, floor: int, dark: str, warm: str, chance: random.Random) -> None:
    width, height = 60 + chance.randint(0, 60), 360 + chance.randint(0, 220)
    pen.rounded_rectangle((640 - width, floor - height, 640 + width, floor), 26, fill=warm)
    pen.line([(640, floor - height), (640, floor - height - 46)], fill=dark, width=10)
    pen.ellipse((614, floor - height - 130, 666, floor - height - 36), fill=mixed(warm, "#ffffff", 0.6))


def slab(pen: ImageDraw.ImageDraw, floor: int, dark: str, warm: str, chance: random.Random) -> None:
    lean, height = chance.randint(20, 110), 470 + chance.randint(0, 130)
    pen.polygon([(430, floor), (850, floor), (850 + lean, floor - height), (430 + lean, floor - height)], fill=dark)
    for step in range(3):
        y = floor - height + 90 + step * 120
        pen.line([(500 + lean * (3 - step) // 4, y), (780 + lean * (3 - step) // 4, y)], fill=warm, width=14)


def jpeg(drawn: Image.Image) -> io.BytesIO:
    """As somebody would upload it."""
    file = io.BytesIO()
    drawn.save(file, "JPEG", quality=90)
    return file


def addresses() -> list[dict[str, str]]:
    """Where the demo's customers live."""
    names = product(["Ada", "Jonas", "Ilse", "Noor"], ["Brandt", "Vey", "Okafor"])
    here = {"city": "Berlin", "country": "DE"}
    return [
        {"name": " ".join(name), "street": f"Harbour Road {number}", "postcode": f"10{number:03}"} | here
        for number, name in enumerate(names, start=11)
    ]
