"""Invented leads for demonstrations: no real person, no mail or phone that could reach one."""

from domain.invented.leads import Cast, InventedCall, InventedLead, InventedNote, invent_leads
from domain.invented.people import LOCALES, Locale

__all__ = ["LOCALES", "Cast", "InventedCall", "InventedLead", "InventedNote", "Locale", "invent_leads"]
