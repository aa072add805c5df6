"""Blocks: what editors see of them, and what is refused."""

import io
import json
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from wagtail.embeds.blocks import EmbedValue

from pages.blocks import Body
from pages.models import ArticlePage
from tests.conftest import Write

pytestmark = pytest.mark.django_db
OWN_PREVIEWS = {"image": "sample", "embed": "embed empty", "related_pages": "Another page"}
BLOCKS = ArticlePage.body.field.stream_block.child_blocks


@pytest.mark.parametrize("name", BLOCKS)
def test_each_block_shows_beforehand_what_it_is(editor: Client, name: str) -> None:
    block = BLOCKS[name]
    assert block.meta.description
    answer = editor.get("/admin/block-preview/", {"id": block.definition_prefix})
    shown = answer.content.decode().partition("<main")[2]
    assert answer.status_code == 200
    assert len(shown) > 150, shown
    assert OWN_PREVIEWS.get(name, "prose") in shown
    assert "css/site.css" in answer.content.decode()


def test_an_image_in_the_text_needs_words(editor: Client, image: Any) -> None:
    block = Body().child_blocks["image"]
    value = block.to_python({"image": {"image": image.pk, "decorative": False, "alt_text": ""}, "caption": ""})
    with pytest.raises(ValidationError) as refused:
        block.clean(value)
    assert "image" in refused.value.block_errors  # type: ignore[attr-defined]


class Answer(io.BytesIO):
    """What a video host says about a video."""

    def __enter__(self) -> "Answer":
        return self


def oembed(monkeypatch: pytest.MonkeyPatch, html: str) -> None:
    said = {"type": "video", "html": html, "width": 200, "height": 113, "title": "x", "version": "1.0"}
    answer = type("Said", (), {"raise_for_status": lambda _: None, "json": lambda _: said, "text": json.dumps(said)})()
    monkeypatch.setattr("wagtail.embeds.finders.oembed.requests.get", lambda *_, **__: answer)


def test_a_video_is_shown_without_cookies(client: Client, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    oembed(monkeypatch, '<iframe src="https://www.youtube.com/embed/abc"></iframe>')
    article = write(body=[("embed", EmbedValue("https://www.youtube.com/watch?v=abc"))])
    text = client.get(article.url).content.decode()
    assert '<iframe src="https://www.youtube-nocookie.com/embed/abc"></iframe>' in text


@pytest.mark.parametrize("address", ["https://example.org/video", "nonsense", "https://www.youtube.com/watch?v=gone"])
def test_a_broken_address_of_a_video_is_refused(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: Any, **__: Any) -> None:
        from requests import ConnectionError as Unreachable

        raise Unreachable

    monkeypatch.setattr("wagtail.embeds.finders.oembed.requests.get", unreachable)
    block = Body().child_blocks["embed"]
    with pytest.raises(ValidationError, match="Cannot find an embed"):
        block.clean(block.value_from_form(address))


def test_a_page_is_shown_although_its_video_cannot_be(
    client: Client, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    article = write(body=[("embed", EmbedValue("https://example.org/video")), ("text", "<p>Water.</p>")])
    assert "Water." in client.get(article.url).content.decode()
