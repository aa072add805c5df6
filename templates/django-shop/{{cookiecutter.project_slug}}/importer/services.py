"""Products from a file. It is read twice: what is wrong with it is found before anything is written."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import IO, Any
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.db.models import F, Min, Model, OuterRef, Q, Subquery, Value
from django.db.models.functions import Concat
from django.utils import timezone
from django.utils.text import slugify

from accounts.models import User
from catalogue.models import Category, Product, Variant
from importer.dialect import Item, Reader, Row
from importer.errors import FileRefusedError, TakenOverError
from importer.models import Import, State
from stock.models import Level, Movement, Reason

logger = logging.getLogger("importer")
BATCH = 500  # products in a transaction, or a few more variants: on SQLite whoever buys meanwhile waits for one of them
MOST_ATTEMPTS = 3
DEAD = timedelta(minutes=5)  # whoever has not said for so long that it lives was killed


@dataclass
class Report:
    """What an import did, or would do."""

    products: int = 0
    variants: int = 0
    new_products: int = 0
    changed_products: int = 0
    new_variants: int = 0
    changed_variants: int = 0

    @property
    def changes(self) -> int:
        """0 where a file is imported for the second time."""
        return self.new_products + self.changed_products + self.new_variants + self.changed_variants


def run(
    file: IO[bytes], *, by: User | None, try_only: bool, alive: Callable[[Report], object] = lambda _report: None
) -> Report:
    """Import a file, or say what that would do. `alive` is called after each batch.

    Raises FileRefusedError with all that is wrong, and then nothing is written. Killed in the middle, whole batches are
    there; the same file again brings the rest. The stock is taken from the file for new variants only: what was sold
    since the file was written must not come back.
    """
    report = Report()
    reader = begin(file)
    for batch in batches(reader.items()):
        reader.problems += elsewhere(batch)
        alive(report)
    if reader.problems:
        raise FileRefusedError(sorted(reader.problems))
    for batch in batches(begin(file).items()):
        with transaction.atomic():
            write(batch, report, by=by)
            transaction.set_rollback(try_only)
        alive(report)
    return report


def begin(file: IO[bytes]) -> Reader:
    """Read it from its beginning."""
    file.seek(0)
    return Reader(file)


def batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """So many products, or as few as have so many variants."""
    batch: list[Item] = []
    for item in items:
        batch.append(item)
        if len(batch) >= BATCH or sum(len(each.rows) for each in batch) >= 3 * BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def elsewhere(batch: Iterable[Item]) -> list[tuple[int, str]]:
    """SKUs that belong to another product already, and labels that belong to a SKU which the file does not have."""
    items = {item.slug: item for item in batch}
    rows = {row.sku: (row.line, item.slug) for item in items.values() for row in item.rows}
    known = Variant.objects.filter(sku__in=rows).values_list("sku", "product__slug")
    wrong = [
        (rows[sku][0], f"SKU {sku!r} is of the product {slug!r} already.")
        for sku, slug in known
        if rows[sku][1] != slug
    ]
    others = Variant.objects.filter(product__slug__in=items).values_list("product__slug", "label", "sku")
    for slug, label, sku in others:
        if sku not in rows and label in items[slug].labels:
            wrong.append(
                (items[slug].line, f"The variant {label!r} has the SKU {sku!r} already, which is not in the file.")
            )
    return wrong


def write(items: Iterable[Item], report: Report, *, by: User | None) -> None:
    """Bring products and variants to what the file says: a fixed number of queries, however many there are."""
    items = list(items)
    shelves = {path: shelf(path) for path in {item.category for item in items}}
    slugs = [item.slug for item in items]
    # First: somebody at the desk saves a product before its variants, too.
    list(Product.objects.filter(slug__in=slugs).order_by("pk").select_for_update().values_list("pk"))
    products = Product.objects.in_bulk(slugs, field_name="slug")
    wanted = [(products.get(item.slug), of_product(item, shelves[item.category])) for item in items]
    new, changed = split(Product, wanted)
    Product.objects.bulk_create(new)
    Product.objects.bulk_update(changed, ["name", "description", "live", "tax_class", "category"])
    products |= {product.slug: product for product in new}
    report.products += len(items)
    report.new_products += len(new)
    report.changed_products += len(changed)

    rows = [(row, of_variant(row, products[item.slug], at)) for item in items for at, row in enumerate(item.rows)]
    known = Variant.objects.in_bulk([row.sku for row, _ in rows], field_name="sku")
    labels = {sku: variant.label for sku, variant in known.items()}
    added, altered = split(Variant, [(known.get(row.sku), values) for row, values in rows])
    # First out of each other's way: two labels may have changed places. Of others the price alone is written: a change
    # of a unique column would keep everybody waiting who orders them.
    moved = [each.pk for each in altered if each.label != labels[each.sku]]
    Variant.objects.filter(pk__in=moved).update(label=Concat(Value("~"), "sku"))
    Variant.objects.bulk_update(altered, ["label", "price", "position"])
    Variant.objects.bulk_create(added)
    report.variants += len(rows)
    report.new_variants += len(added)
    report.changed_variants += len(altered)

    pieces = {row.sku: row.stock for row, _ in rows}
    Level.objects.bulk_create(Level(variant=each, available=pieces[each.sku]) for each in added)
    Movement.objects.bulk_create(
        Movement(variant=each, delta=pieces[each.sku], reason=Reason.RECEIVED, reference="import", by=by)
        for each in added
        if pieces[each.sku]
    )
    of_it = Variant.objects.filter(product=OuterRef("pk"), live=True).values("product")
    lowest = Subquery(of_it.annotate(lowest=Min("price")).values("lowest"))
    Product.objects.filter(pk__in=[product.pk for product in products.values()]).update(lowest_price=lowest)


def split[Row_: Model](
    model: type[Row_], wanted: Iterable[tuple[Row_ | None, dict[str, Any]]]
) -> tuple[list[Row_], list[Row_]]:
    """Rows that are to be made, and rows that are to be changed; those that are right already are neither."""
    new, changed = [], []
    for there, values in wanted:
        if there is None:
            new.append(model(**values))
        elif any(getattr(there, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(there, name, value)
            changed.append(there)
    return new, changed


def of_product(item: Item, category: Category) -> dict[str, Any]:
    """The columns of a product."""
    about = {"slug": item.slug, "name": item.name, "description": item.description}
    return about | {"live": item.live, "tax_class": item.tax_class, "category_id": category.pk}


def of_variant(row: Row, product: Product, position: int) -> dict[str, Any]:
    """The columns of a variant."""
    return {"product_id": product.pk, "sku": row.sku, "label": row.label, "price": row.price, "position": position}


def shelf(path: tuple[str, ...]) -> Category:
    """The category at the end of a path of names; those that are not there are made."""
    found: Category | None = None
    for name in path:
        found = Category.objects.filter(
            Q(slug=slugify(name)[:80]) & Q(parent=found)
        ).first() or Category.objects.create(name=name, slug=slugify(name)[:80], parent=found)
    if found is None:
        raise ValueError("a path has at least one name")
    return found


def carry_out(pk: int) -> None:
    """Do what was asked for, unless somebody does it, or another import is running: then it waits."""
    if (token := claim(pk)) is None:
        return
    asked = Import.objects.get(pk=pk)
    mine = Import.objects.filter(pk=pk, claim=token)

    def alive(report: Report) -> None:
        if not mine.update(alive_at=timezone.now(), report=asdict(report)):
            raise TakenOverError

    if asked.attempts > MOST_ATTEMPTS:
        killed = [0, "It was begun three times, and what did it was killed each time: cut the file in two."]
        mine.update(state=State.BROKEN, report={"problems": [killed]})
        return
    done: dict[str, Any]
    try:
        with asked.file.open("rb") as file:
            report = run(file, by=asked.by, try_only=asked.try_only, alive=alive)
        done = {"state": State.DONE, "report": asdict(report)}
    except TakenOverError:
        return
    except FileRefusedError as error:
        done = {"state": State.REFUSED, "report": {"problems": error.problems}}
    except Exception:
        logger.exception("the import of %s failed", asked.name)
        problem = [0, "Something broke: the log says what. The same file can be imported again."]
        done = {"state": State.BROKEN, "report": {"problems": [problem]}}
    if mine.update(**done):
        forget(asked)


def claim(pk: int) -> UUID | None:
    """A token, when it is ours to do. One runs at a time; one that was killed waits again."""
    now, token = timezone.now(), uuid4()
    Import.objects.filter(state=State.RUNNING, alive_at__lt=now - DEAD).update(state=State.QUEUED, claim=None)
    ours = {"state": State.RUNNING, "alive_at": now, "claim": token, "attempts": F("attempts") + 1}
    try:
        with transaction.atomic():
            return token if Import.objects.filter(pk=pk, state=State.QUEUED).update(**ours) else None
    except IntegrityError:
        return None


def forget(asked: Import) -> None:
    """What is done with is not kept."""
    asked.file.delete(save=False)
    Import.objects.filter(pk=asked.pk).update(file="")


def carry_out_left() -> int:
    """Do what nobody has done: the task was lost with a process, or had to wait."""
    now = timezone.now()
    for asked in Import.objects.exclude(state__in=[State.QUEUED, State.RUNNING]).exclude(file=""):
        forget(asked)
    waiting = Q(state=State.QUEUED, at__lt=now - timedelta(minutes=1)) | Q(state=State.RUNNING, alive_at__lt=now - DEAD)
    left = list(Import.objects.filter(waiting).order_by("pk").values_list("pk", flat=True))
    for pk in left:
        carry_out(pk)
    return len(left)
