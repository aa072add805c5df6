"""Uploads written anew: what pages show is what this made, never what somebody sent."""

import io
import warnings
from typing import IO

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image, ImageOps

WIDTHS = (320, 640, 1280)
KINDS = ["AVIF", "JPEG", "PNG", "WEBP"]
LARGEST = 10 * 1024 * 1024  # bytes of an upload
LONGEST_SIDE = 12_000
MOST_PIXELS = 50_000_000  # a small file can unpack to gigabytes


def opened(upload: IO[bytes]) -> Image.Image:
    """A picture, upright, without what came with it. Raises ValidationError when it is none that we take."""
    upload.seek(0, io.SEEK_END)
    if upload.tell() > LARGEST:
        raise ValidationError(f"This picture is too large: {LARGEST // 1024**2} MB at most.")
    upload.seek(0)
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(upload, formats=KINDS) as found:
            if found.width * found.height > MOST_PIXELS or max(found.size) > LONGEST_SIDE:
                raise ValidationError(f"This picture is too large: {MOST_PIXELS // 10**6} megapixels at most.")
            found.load()
            upright = ImageOps.exif_transpose(found)
            kept: Image.Image = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ValidationError(f"This is no picture, or it is damaged: {', '.join(KINDS)} can be read.") from error
    kept.info = {}
    return kept


def widths(original: int) -> list[int]:
    """The widths that are kept of a picture: never larger than it is."""
    return sorted({min(width, original) for width in WIDTHS})


def address(name: str, width: int) -> str:
    """Where that size is, for browsers."""
    return f"{settings.MEDIA_URL}{file(name, width)}"


def file(name: str, width: int) -> str:
    """Where that size is, in the storage."""
    return f"products/{name}-{width}.webp"


def keep(picture: Image.Image, name: str) -> None:
    """Write every size."""
    for width in widths(picture.width):
        out = io.BytesIO()
        height = max(1, round(picture.height * width / picture.width))
        picture.resize((width, height), Image.Resampling.LANCZOS).save(out, "WEBP", quality=80, method=4)
        default_storage.save(file(name, width), ContentFile(out.getvalue()))


def forget(name: str, original: int) -> None:
    """Delete every size."""
    for width in widths(original):
        default_storage.delete(file(name, width))
