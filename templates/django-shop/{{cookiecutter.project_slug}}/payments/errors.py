"""What can be wrong with a payment."""


class PaymentError(Exception):
    """It cannot be done. The text says why, for whoever asked."""


class TooMuchError(PaymentError):
    """More is to be given back than was paid and is still there."""


class ForgedError(PaymentError):
    """A message that is not signed by the provider, or too old to be believed."""


class RefusedError(PaymentError):
    """The provider says no, and will say no again."""


class UnreachableError(PaymentError):
    """The provider did not answer, or not clearly: nobody knows whether it has happened. Ask again, by the same key."""
