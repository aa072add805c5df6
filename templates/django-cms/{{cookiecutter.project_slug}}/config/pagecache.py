"""Whole pages, kept for visitors who are not signed in: they meet it before sessions, languages and the database.

Every process keeps its own pages. What all share is one thing, the *generation*: whatever is published, moved or
deleted gives it another value, and pages of another generation are as good as gone. It is a file that each process
looks at, or a key in Valkey when there are several hosts.
"""

import hashlib
import re
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, wraps
from http import HTTPStatus
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.core.checks import CheckMessage, Info, Tags, register
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified

MOST_BYTES = 64 * 1024 * 1024  # of pages that a process keeps
MOST_PAGES = 5000
LONGEST_PAGE = 1024 * 1024
LONGEST_QUERY = 100  # an address with more of it is not worth keeping
MOST_ANSWERS = 1000  # of a function that are remembered
LONGEST_TIME = 600.0  # seconds: whoever is killed between a commit and its announcement has told nobody
# What those add to an address who count where people come from: to us it is the same page.
TRACKING = re.compile(r"(utm_\w+|gclid|fbclid|msclkid|mc_[ce]id)=")


class FileGeneration:
    """A file of this host. Looking at it costs a few microseconds, and no query."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> str:
        try:
            seen = self._path.stat()
        except FileNotFoundError:
            return "first"
        return f"{seen.st_ino}.{seen.st_mtime_ns}"

    def move(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_name(f"{self._path.name}.{secrets.token_hex(8)}")
        fresh.write_text("")
        fresh.replace(self._path)


class ValkeyGeneration:
    """A key that several hosts share. While it is gone nothing is kept; what it misses is late by LONGEST_TIME."""

    KEY = "page-generation"

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url, socket_timeout=0.2, socket_connect_timeout=0.2)

    def read(self) -> str | None:
        try:
            # Somebody has emptied it: a number that was there before must not come again.
            if (found := self._client.get(self.KEY)) is None:
                self._client.set(self.KEY, secrets.token_hex(16), nx=True)
                found = self._client.get(self.KEY)
            return str(found)
        except redis.RedisError:
            return None

    def move(self) -> None:
        self._client.set(self.KEY, secrets.token_hex(16))


@cache
def generation() -> FileGeneration | ValkeyGeneration:
    """What all processes look at."""
    if settings.VALKEY_URL:
        return ValkeyGeneration(settings.VALKEY_URL)
    return FileGeneration(Path(settings.DATA) / ".page-generation")


def forget_pages(**_: object) -> None:
    """What was kept is out of date. Told after the commit: earlier, somebody could still keep what was there before."""
    transaction.on_commit(generation().move, robust=True)


def remembered[*Asked, Answer](make: Callable[[*Asked], Answer]) -> Callable[[*Asked], Answer]:
    """A function whose answers hold until something is published: for what is the same on many pages.

    Each answer is kept by what was asked, and handed to every thread: nobody may change it.
    """
    answers: dict[tuple[object, ...], tuple[str, float, Answer]] = {}

    @wraps(make)
    def ask(*asked: *Asked) -> Answer:
        now = generation().read()
        found = answers.get(asked)
        if now and found and found[0] == now and found[1] > time.monotonic():
            return found[2]
        answer = make(*asked)
        if len(answers) >= MOST_ANSWERS:
            answers.clear()
        answers[asked] = now or "", time.monotonic() + LONGEST_TIME, answer
        return answer

    return ask


@dataclass(frozen=True, slots=True)
class Kept:
    """A page, and the generation that it belongs to."""

    generation: str
    body: bytes
    headers: tuple[tuple[str, str], ...]
    etag: str
    until: float  # by the clock that only goes forward


class PageCache:
    """Middleware that answers from memory where it can."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response
        self._pages: OrderedDict[tuple[str, ...], Kept] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        self._forget_tracking(request)
        if not self._may_keep(request):
            return self._get_response(request)
        if (now := generation().read()) is None:
            self._forget()  # what was published meanwhile, nobody will tell us
            return self._get_response(request)
        key = (request.scheme or "", request.get_host(), request.get_full_path())
        kept = self._pages.get(key)
        if kept is None or kept.generation != now or kept.until < time.monotonic():
            response = self._get_response(request)
            if not self._is_for_everybody(response):
                return response
            kept = self._keep(key, response, now)
        if request.headers.get("If-None-Match") == kept.etag:
            answer: HttpResponse = HttpResponseNotModified()
        else:
            answer = HttpResponse(kept.body)
        for name, value in kept.headers:
            answer[name] = value
        answer["ETag"] = kept.etag
        # Whoever stands between may keep it too, and asks each time whether it still holds.
        answer["Cache-Control"] = "public, no-cache"
        return answer

    def _forget_tracking(self, request: HttpRequest) -> None:
        query = request.META.get("QUERY_STRING", "")
        if query:
            request.META["QUERY_STRING"] = "&".join(each for each in query.split("&") if not TRACKING.match(each))

    def _may_keep(self, request: HttpRequest) -> bool:
        """Only what everybody would get: a cookie of ours is a person, and what editors look at is not for visitors."""
        return (
            settings.PAGE_CACHE
            and request.method in ("GET", "HEAD")
            and settings.SESSION_COOKIE_NAME not in request.COOKIES
            and len(request.META.get("QUERY_STRING", "")) <= LONGEST_QUERY
            and not request.path.startswith(("/admin/", "/documents/", "/media/", "/static/"))
        )

    def _is_for_everybody(self, response: HttpResponse) -> bool:
        control = response.get("Cache-Control", "")
        return (
            response.status_code == HTTPStatus.OK
            and not response.streaming
            and not response.cookies
            and "private" not in control
            and "no-store" not in control
            and "no-cache" not in control
            and "cookie" not in response.get("Vary", "").lower()
            and len(response.content) <= LONGEST_PAGE
        )

    def _keep(self, key: tuple[str, ...], response: HttpResponse, now: str) -> Kept:
        headers = tuple(
            (name, value) for name, value in response.items() if name not in ("X-Request-ID", "Content-Length")
        )
        etag = f'"{hashlib.blake2b(response.content, digest_size=12).hexdigest()}"'
        kept = Kept(now, response.content, headers, etag, time.monotonic() + LONGEST_TIME)
        with self._lock:
            self._drop(key)
            self._pages[key] = kept
            self._bytes += len(kept.body)
            while self._bytes > MOST_BYTES or len(self._pages) > MOST_PAGES:
                self._drop(next(iter(self._pages)))
        return kept

    def _forget(self) -> None:
        with self._lock:
            self._pages.clear()
            self._bytes = 0

    def _drop(self, key: tuple[str, ...]) -> None:
        if old := self._pages.pop(key, None):
            self._bytes -= len(old.body)


@register(Tags.caches, deploy=True)
def several_hosts(**_: Any) -> list[CheckMessage]:
    """That kept pages are told of changes by a file, which another host does not see."""
    database = settings.DATABASES["default"]
    if not settings.PAGE_CACHE or settings.VALKEY_URL or not database["ENGINE"].endswith("postgresql"):
        return []
    hint = "Do several serve this site? Set VALKEY_URL, or they show each other's changes late. With one, all is well."
    return [Info("Only this host learns that something was published.", hint=hint, id="config.I001")]
