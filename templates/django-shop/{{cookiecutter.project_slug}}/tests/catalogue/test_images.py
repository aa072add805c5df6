"""Pictures: what somebody uploads is never what visitors get."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.datastructures import MultiValueDict
from PIL import Image, PngImagePlugin
from pytest_django.fixtures import Settings

from catalogue import images
from catalogue.admin import PictureForm
from catalogue.models import ProductImage, Variant

pytestmark = pytest.mark.django_db


def drawn(kind: str = "JPEG", size: tuple[int, int] = (1600, 1000), **more: object) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, "#264653").save(file, kind, **more)
    return file.getvalue()


def upload(variant: Variant, body: bytes, name: str = "x.jpg") -> PictureForm:
    instance = ProductImage(product=variant.product)
    files: MultiValueDict[str, Any] = MultiValueDict({"upload": [SimpleUploadedFile(name, body)]})
    form = PictureForm({"alt": "A cup", "position": 0}, files, instance=instance)
    form.full_clean()
    return form


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_a_picture_is_kept_in_the_sizes_that_pages_show(
    client: Client, variant: Variant, settings: Settings, kind: str
) -> None:
    form = upload(variant, drawn(kind))
    assert form.is_valid(), form.errors
    made = form.save()
    files = sorted(path.name for path in Path(settings.MEDIA_ROOT).rglob("*.*"))
    assert files == sorted(f"{made.name}-{width}.webp" for width in (320, 640, 1280))
    page = client.get(variant.product.get_absolute_url()).content.decode()
    assert f"{made.name}-320.webp 320w" in page
    answer = client.get(made.src)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    assert "immutable" in answer["Cache-Control"]
    assert Image.open(io.BytesIO(b"".join(answer))).size == (1280, 800)


def test_what_came_with_it_is_gone(variant: Variant, settings: Settings) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "SECRET PLACE"
    turned = upload(variant, drawn(exif=exif)).save()
    assert (turned.width, turned.height) == (1000, 1600), "it is upright"
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "SECRET PLACE")
    upload(variant, drawn("PNG", pnginfo=text)).save()
    upload(variant, drawn() + b"<?php SECRET PLACE ?>").save()
    for path in Path(settings.MEDIA_ROOT).rglob("*.webp"):
        assert b"SECRET" not in path.read_bytes()
        with Image.open(path) as kept:
            assert not kept.getexif()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no picture",
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        drawn()[:2000],
        drawn("GIF"),
        drawn("BMP"),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 1 1\n",
        b"\x89PNG\r\n\x1a\n" + b"\x00" * 64,
    ],
)
def test_what_is_no_picture_is_refused(variant: Variant, settings: Settings, body: bytes) -> None:
    form = upload(variant, body)
    assert not form.is_valid()
    assert "upload" in form.errors
    assert not list(Path(settings.MEDIA_ROOT).rglob("*.*"))


def test_what_unpacks_to_too_much_is_refused(variant: Variant, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = drawn("PNG", (9000, 6000))
    assert len(bomb) < 1_000_000
    with pytest.raises(ValidationError, match="50 megapixels"):
        images.opened(io.BytesIO(bomb))
    monkeypatch.setattr(images, "LARGEST", 100)
    with pytest.raises(ValidationError, match="too large"):
        images.opened(io.BytesIO(drawn()))


def test_a_small_one_is_not_made_larger(variant: Variant) -> None:
    made = upload(variant, drawn(size=(200, 100))).save()
    assert made.srcset == f"/media/products/{made.name}-200.webp 200w"


def test_a_picture_that_goes_takes_its_files_along(
    variant: Variant, settings: Settings, django_capture_on_commit_callbacks: object
) -> None:
    first = upload(variant, drawn()).save()
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        other: MultiValueDict[str, Any] = MultiValueDict({"upload": [SimpleUploadedFile("x.png", drawn("PNG"))]})
        again = PictureForm({"alt": "Another", "position": 0}, other, instance=first)
        assert again.is_valid()
        again.save()
    files = list(Path(settings.MEDIA_ROOT).rglob("*.webp"))
    assert len(files) == 3
    assert all(again.instance.name in path.name for path in files)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        ProductImage.objects.all().delete()
    assert not list(Path(settings.MEDIA_ROOT).rglob("*.webp"))


@pytest.mark.parametrize(
    "path", ["/media/../manage.py", "/media/products/..%2f..%2fmanage.py", "/media/products/", "/media/x"]
)
def test_nothing_else_is_given_out(client: Client, path: str) -> None:
    assert client.get(path).status_code in (400, 404)
