"""``read_any`` and ``write_as``: data sets in other people's formats."""

from perception.dataset.interchange.formats import EXPORTS, IMPORTS, read_any, write_as

__all__ = ["EXPORTS", "IMPORTS", "read_any", "write_as"]
