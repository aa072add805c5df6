"""What the rules of orders refuse. Each says what to do, in words for whoever asked."""


class OrderError(Exception):
    """An order cannot be placed or changed like that."""


class EmptyBasketError(OrderError):
    """There is nothing to order."""


class TotalChangedError(OrderError):
    """A price, a tax or the shipping changed after the customer has seen the total."""


class NoShippingError(OrderError):
    """Nothing is sent there, or not in that way."""


class WrongStateError(OrderError):
    """The order is in a state in which this cannot happen, or somebody else was faster."""
