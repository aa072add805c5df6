"""What editors upload: looked at, made anew before anybody sees it, and never opened as a page of ours."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from media.models import CustomDocument, CustomImage

pytestmark = pytest.mark.django_db
SCRIPT = b"<html><script>alert(1)</script></html>"


def drawn(kind: str = "JPEG", size: tuple[int, int] = (800, 500), **more: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "#264653").save(out, kind, **more)
    return out.getvalue()


def upload(client: Client, name: str, content: bytes) -> str:
    """What the editor is shown."""
    form = {"title": "x", "file": SimpleUploadedFile(name, content), "collection": 1}
    return client.post("/admin/images/add/", form, follow=True).content.decode()


def bomb() -> bytes:
    out = io.BytesIO()
    Image.new("1", (10_000, 6_000)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "Not a supported image"),
        ("x.jpg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "Not a valid"),
        ("x.jpg", SCRIPT, "Not a valid"),
        ("x.png", drawn("JPEG"), "Not a valid"),
        ("x.jpg", drawn()[:60], "This image is damaged"),
        ("x.jpg", drawn()[:-600], "This image is damaged"),
        ("x.png", drawn("PNG", (800, 500))[:-90], "This image is damaged"),
        ("x.png", bomb(), "too many pixels"),
        ("x.jpg", b"", "empty"),
    ],
    ids=["svg", "disguised svg", "disguised page", "other format", "cut early", "cut late", "cut png", "bomb", "empty"],
)
def test_what_is_no_image_is_refused(editor: Client, name: str, content: bytes, said: str) -> None:
    shown = upload(editor, name, content)
    assert said in shown
    assert not CustomImage.objects.exists()


def test_what_is_too_large_is_refused(editor: Client) -> None:
    assert "too big" in upload(editor, "x.jpg", drawn() + bytes(10 * 1024 * 1024))
    assert not CustomImage.objects.exists()


def test_nobody_gets_what_was_uploaded_but_only_what_we_made_of_it(editor: Client, client: Client) -> None:
    """A file that is an image and a page at once, with where it was taken in it."""
    place = Image.Exif()
    place[0x010E] = "taken at home"
    upload(editor, "both.jpg", drawn(exif=place, comment=b"for friends only") + SCRIPT)
    image = CustomImage.objects.get()
    kept = image.file.open().read()
    assert SCRIPT not in kept
    assert b"taken at home" not in kept
    assert b"for friends only" not in kept
    assert client.get(f"/media/{image.file.name}").status_code == 404
    for format_ in ("jpeg", "webp", "avif"):
        shown = client.get(image.get_rendition(f"width-400|format-{format_}").url)
        content = b"".join(shown.streaming_content)  # type: ignore[attr-defined]
        assert shown["Content-Type"] == f"image/{format_}"
        assert b"<script>" not in content
        assert b"taken at home" not in content
    for path in ("../../manage.py", "%2e%2e/%2e%2e/manage.py"):
        assert client.get(f"/media/images/{path}").status_code in (400, 404)


def test_a_document_is_an_attachment_whatever_it_calls_itself(client: Client, editor: Client) -> None:
    form = {"title": "x", "file": SimpleUploadedFile("plan.pdf", SCRIPT), "collection": 1}
    editor.post("/admin/documents/add/", form)
    answer = client.get(CustomDocument.objects.get().url)
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
def test_an_image_that_moves_keeps_its_pace(editor: Client, kind: str) -> None:
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "green", "blue")]
    out = io.BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:], duration=[100, 200, 300], loop=0)
    upload(editor, f"moves.{kind.lower()}", out.getvalue())
    with Image.open(CustomImage.objects.get().file) as moving:
        times = []
        for number in range(moving.n_frames):  # type: ignore[attr-defined]
            moving.seek(number)
            moving.load()
            times.append(moving.info["duration"])
    assert times == [100, 200, 300]


def test_an_image_that_lay_on_its_side_is_upright(editor: Client) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    upload(editor, "side.jpg", drawn(exif=turned))
    image = CustomImage.objects.get(file__contains="side")
    assert (image.width, image.height) == (500, 800)


@pytest.mark.parametrize("name", ["x.html", "x.svg", "x.exe", "x"])
def test_a_document_of_another_kind_is_refused(editor: Client, name: str) -> None:
    form = {"title": "x", "file": SimpleUploadedFile(name, SCRIPT), "collection": 1}
    assert "extension" in editor.post("/admin/documents/add/", form).content.decode()
    assert not CustomDocument.objects.exists()


def test_an_image_leaves_nothing_behind_when_it_goes(
    image: CustomImage, django_capture_on_commit_callbacks: Any
) -> None:
    path = Path(image.file.path)
    with django_capture_on_commit_callbacks(execute=True):
        image.delete()
    assert not path.exists()
