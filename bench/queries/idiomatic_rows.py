"""The ORM's rows of the ordinary server."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, ForeignKey, Integer, Text, Uuid
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    type_annotation_map: ClassVar = {datetime: DateTime(timezone=True), list[str]: ARRAY(Text), UUID: Uuid, str: Text}


class StatusRow(Base):
    __tablename__ = "statuses"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str]
    key_folded: Mapped[str]
    label: Mapped[str]
    position: Mapped[int]


class CompanyRow(Base):
    __tablename__ = "companies"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]


class ChatbotRow(Base):
    __tablename__ = "chatbots"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]


class LeadRow(Base):
    __tablename__ = "leads"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    external_id: Mapped[str | None]
    version: Mapped[int]
    name: Mapped[str | None]
    phone: Mapped[str | None]
    phone_display: Mapped[str | None]
    email: Mapped[str | None]
    policy_of_interest: Mapped[str | None]
    status_code: Mapped[str | None]
    status_id: Mapped[UUID] = mapped_column(ForeignKey("statuses.id"))
    source: Mapped[str]
    lead_source: Mapped[str | None]
    score: Mapped[int | None] = mapped_column(Integer)
    interest_level: Mapped[str | None]
    confidence: Mapped[str | None]
    category: Mapped[str | None]
    primary_language: Mapped[str | None]
    tags: Mapped[list[str]]
    notes_count: Mapped[int]
    company_id: Mapped[UUID | None]
    chatbot_id: Mapped[UUID | None]
    last_call_at: Mapped[datetime | None]
    last_call_status: Mapped[str | None]
    search_text: Mapped[str] = mapped_column(deferred=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
