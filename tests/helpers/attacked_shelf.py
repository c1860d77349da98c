"""A record of another file, which is in no package with the model."""

from dataclasses import dataclass

from attacked import Held

from marginspec.model.kernel import Record, Rejected


@dataclass
class Book(Record):
    """Book."""

    pages: Held

    @property
    def full(self) -> bool:
        """Whether it is full; of five pages nobody knows."""
        if self.pages == 5:
            raise Rejected("A-7")
        return self.pages == 6
