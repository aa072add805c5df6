"""What can go wrong with rooms."""

from app.problems import Problem


class RoomNotFound(Problem):
    """There is no such room."""

    status = 404

    def __init__(self) -> None:
        # The same words for a room that is not there and one that you are not in: nobody can try out names.
        super().__init__("It does not exist, or you are not in it.")


class OwnersOnly(Problem):
    """Only an owner of the room may do this."""

    status = 403


class AlreadyMember(Problem):
    """That person is in the room already."""

    status = 409


class MemberNotFound(Problem):
    """That person is not in the room."""

    status = 404


class LastOwner(Problem):
    """A room needs an owner."""

    status = 409
