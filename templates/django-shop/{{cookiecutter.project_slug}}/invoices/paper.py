"""An invoice on paper: A4, as PDF, with letters for Latin, Greek and Cyrillic names."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path

from django.conf import settings
from django.db.models import Sum
from django.utils.timezone import localtime
from fpdf import FPDF
from fpdf.enums import TableBordersLayout

from orders.models import Order
from payments.models import Refund

LETTERS = Path(__file__).parent / "DejaVuSans.ttf"
SMALL, NORMAL, LARGE = 8, 9.5, 16  # points


def drawn(name: str, order: Order, refund: Refund | None, at: datetime) -> bytes:
    """The document of that name. What was ordered stands in it as it was when it was ordered."""
    paper = FPDF(format="A4")
    paper.add_font("Letters", fname=LETTERS)
    paper.set_margin(22)
    paper.set_title(name)
    paper.set_creation_date(at)
    paper.add_page()
    text(paper, settings.INVOICE_FROM or settings.SHOP_NAME, SMALL)
    paper.ln(18)
    text(paper, "\n".join(order.address_lines), NORMAL)
    paper.ln(16)
    text(paper, name, LARGE)
    text(paper, f"{at:%Y-%m-%d}   Order {order.number} of {localtime(order.placed_at):%Y-%m-%d}", NORMAL)
    paper.ln(8)
    paper.set_font("Letters", size=NORMAL)
    rows = given_back(order, refund) if refund else bought(order)
    with paper.table(
        rows,
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        first_row_as_headings=False,
        col_widths=(12, 58, 15, 15),
        text_align=("RIGHT", "LEFT", "RIGHT", "RIGHT"),
        line_height=NORMAL * 0.65,
    ):
        pass
    return bytes(paper.output())


def text(paper: FPDF, lines: str, size: float) -> None:
    """Lines below each other."""
    paper.set_font("Letters", size=size)
    paper.multi_cell(0, size * 0.5, lines, new_x="LMARGIN", new_y="NEXT")


def bought(order: Order) -> list[list[str]]:
    """The lines of an invoice: how many, of what, the tax of it, and what it costs."""
    sums = [("Shipping: " + order.shipping_name, order.shipping), (order.discount_name or "Discount", -order.discount)]
    rows = [["", "", "tax", "amount"]]
    rows += [
        [f"{line.quantity} ×", line.name, f"{line.tax_rate.normalize():f} %", str(line.gross)]
        for line in order.lines.all()
    ]
    rows += [["", name, "", str(order.money(amount))] for name, amount in sums if amount or name.startswith("Shipping")]
    return [*rows, ["", "Total", "", str(order.to_pay)], ["", "of which tax", "", str(order.money(order.tax))]]


def given_back(order: Order, refund: Refund) -> list[list[str]]:
    """The lines of a credit note. Its tax is the share of the order's that it is of the total: of all that went back so
    far, less what was said before, so that all of them together give the tax of the invoice.
    """
    before = order.invoices.exclude(refund=None).aggregate(all=Sum("refund__amount"))["all"] or Decimal(0)
    until_now, until_then = (order.money(order.tax * back / order.total) for back in (before + refund.amount, before))
    lines = [(refund.reason, -refund.amount), ("of which tax", (until_then - until_now).amount)]
    return [["", name, "", str(order.money(amount))] for name, amount in lines]
