"""The rules of notes."""

from notes.models import Note


def write_note(*, text: str) -> Note:
    """Keep a line of text."""
    return Note.objects.create(text=text)
