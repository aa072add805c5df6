"""How an image gets in: it is decoded and written anew, so that nothing else comes with it."""

import io
import struct
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageOps, ImageSequence
from wagtail.images.fields import WagtailImageField
from wagtail.images.forms import BaseImageForm

MOVES = {"gif", "webp"}  # formats that may have more than one picture; Wagtail refuses the others
KEPT = {"background", "disposal", "duration", "loop", "transparency"}  # of what a file says beside its pixels
DAMAGED = _("This image is damaged, or was not sent whole. Open it in a program for images, and save it anew.")


class Upload(WagtailImageField):
    """An image without what came with it: where it was taken, a preview of what was cut off, another file behind it."""

    def to_python(self, data: Any) -> Any:
        try:
            file = super().to_python(data)
            return file and anew(file, file.image.format_name)
        except (OSError, SyntaxError, ValueError) as error:  # how Pillow says that it cannot read on
            raise ValidationError(DAMAGED) from error


def anew(file: Any, kind: str) -> SimpleUploadedFile:
    """The same picture, upright, in the same format, written by us. Raises OSError when it is not whole."""
    out = io.BytesIO()
    with Image.open(file) as picture:
        frames = [upright(frame) for frame in ImageSequence.Iterator(picture)] if kind in MOVES else [upright(picture)]
        times = [frame.info.get("duration", 0) for frame in frames]
        moves = {"save_all": True, "append_images": frames[1:], "duration": times, "loop": picture.info.get("loop", 0)}
        more: dict[str, Any] = moves if len(frames) > 1 else {}
        frames[0].save(out, kind.upper(), quality=95, icc_profile=picture.info.get("icc_profile"), **more)
    return SimpleUploadedFile(file.name, out.getvalue(), file.content_type)


def upright(frame: Image.Image) -> Image.Image:
    """A frame as it is to be seen, with what is needed to show it and no more."""
    try:
        turned = ImageOps.exif_transpose(frame).copy()
    except (struct.error, TypeError):  # what it says of how it was held makes no sense
        turned = frame.copy()
    turned.info = {name: value for name, value in turned.info.items() if name in KEPT}
    return turned


class ImageForm(BaseImageForm):
    """What editors fill in for an image."""

    file = Upload(label=_("File"))
