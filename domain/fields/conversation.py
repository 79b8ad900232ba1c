"""What a chatbot learned."""

from typing import Final

from domain.fields.definition import INT_MAX, LeadField, instant, integer, listing, shown, text
from domain.vocabulary import FieldType, LeadFieldKey

_K = LeadFieldKey

CONVERSATION: Final = (
    text(
        _K.PRIMARY_LANGUAGE,
        "Primary Language",
        "primaryLanguage",
        64,
        "language",
        "langue",
        "idioma",
        "sprache",
        "שפה",
        example="he",
    ),
    listing(_K.DETECTED_LANGUAGES, "Detected Languages", "detectedLanguages", "he;en", "languages"),
    LeadField(
        key=_K.AI_LEGITIMATE,
        label="AI Legitimate",
        type=FieldType.BOOLEAN,
        path=("ai", "legitimate"),
        column="ai_legitimate",
        aliases=("legitimate",),
        example="yes",
    ),
    integer(_K.AI_CONFIDENCE_SCORE, "AI Confidence Score", "ai.confidenceScore", 100, example="92"),
    listing(_K.AI_VERIFICATION_REASONS, "AI Verification Reasons", "ai.reasons", "valid phone;real name", "ai reasons"),
    text(_K.SESSION_ID, "Session ID", "session.sessionId", 255, "session"),
    text(_K.USER_AGENT, "User Agent", "session.userAgent", 1_000, "browser"),
    text(_K.IP_ADDRESS, "IP Address", "session.ipAddress", 45, "ip", example="192.0.2.10"),
    text(_K.LOCATION_COUNTRY, "Location Country", "session.country", 100),
    text(_K.LOCATION_CITY, "Location City", "session.city", 200),
    integer(_K.MESSAGE_COUNT, "Message Count", "engagement.messageCount", INT_MAX, "messages", example="14"),
    integer(
        _K.SESSION_DURATION,
        "Session Duration",
        "engagement.sessionDurationSeconds",
        INT_MAX,
        "session duration (seconds)",
        "session duration seconds",
        example="310",
    ),
    instant(_K.FIRST_INTEREST_DETECTED, "First Interest Detected", "engagement.firstInterestAt", "first interest at"),
    instant(_K.LAST_INTEREST_DETECTED, "Last Interest Detected", "engagement.lastInterestAt", "last interest at"),
    LeadField(
        key=_K.CONVERSATION_SUMMARY,
        label="Conversation Summary",
        type=FieldType.LONG_TEXT,
        path=("engagement", "conversationSummary"),
        column="conversation_summary",
        aliases=("summary",),
        max_length=100_000,
    ),
    text(_K.CONVERSATION_ID, "Conversation ID", "session.conversationId", 255),
    shown(
        _K.CONVERSATION_URL,
        "Conversation URL",
        FieldType.TEXT,
        "session.conversationUrl",
        "conversation id (link)",
        "conversation link",
    ),
)
