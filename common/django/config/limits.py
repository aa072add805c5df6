"""How often somebody may do something: counted in the database, so over all processes and hosts."""

import time
from ipaddress import IPv6Address, ip_address, ip_network

from django.db import connection
from django.utils.crypto import salted_hmac

from config.models import Use

# One statement, so that of many at once none is overlooked; it is the same on both databases.
COUNT = """
INSERT INTO config_use (key, count, until) VALUES (%s, %s, %s)
ON CONFLICT (key) DO UPDATE SET count = config_use.count + excluded.count RETURNING count
"""


def allowed(what: str, address: str, *, most: int, seconds: int) -> bool:
    """Count one more use of something from an IP address; whether it is among the first so many of this span."""
    return used(what, network(address), seconds=seconds) <= most


def used(what: str, whose: str, *, seconds: int, times: int = 1) -> int:
    """Count so many more uses of something by somebody; how often it was within this span of so many seconds."""
    span = int(time.time()) // seconds
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [hashed(f"{what} {whose} {span}"), times, (span + 1) * seconds])
        count = int(cursor.fetchone()[0])
    if count == times:
        Use.objects.filter(until__lte=span * seconds).delete()
    return count


def hashed(text: str) -> str:
    """A key that says nothing to whoever reads it."""
    return salted_hmac("config.limits", text, algorithm="sha256").hexdigest()


def network(address: str) -> str:
    """Whom an address stands for: with IPv6, whoever has one has the 2⁶⁴ beside it."""
    try:
        found = ip_address(address)
        if isinstance(found, IPv6Address) and not found.ipv4_mapped:
            return str(ip_network((address, 64), strict=False))
        return str(getattr(found, "ipv4_mapped", None) or found)
    except ValueError:
        return "unknown"
