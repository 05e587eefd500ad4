"""The one place that speaks SQL: tables, the two doors, and what may be asked of them."""

from data.store.blind import BlindStore
from data.store.store import Store

__all__ = ["BlindStore", "Store"]
