"""Invented leads in bulk, made by the database itself, and the 36 columns that are exported."""

from pathlib import Path

import psycopg

from domain.exports import ColumnSpec
from domain.vocabulary import LeadFieldKey as K

KEYS = (
    *(K.LEAD_ID, K.CHATBOT_NAME, K.SESSION_ID, K.STATUS, K.SOURCE, K.LEAD_SOURCE, K.NAME, K.PHONE, K.EMAIL),
    *(K.NATIONAL_ID, K.SCORE, K.INTEREST_LEVEL, K.CONFIDENCE, K.CATEGORY, K.PRIMARY_LANGUAGE, K.DETECTED_LANGUAGES),
    *(K.AI_LEGITIMATE, K.AI_CONFIDENCE_SCORE, K.AI_VERIFICATION_REASONS, K.USER_AGENT, K.IP_ADDRESS),
    *(K.LOCATION_COUNTRY, K.LOCATION_CITY, K.MESSAGE_COUNT, K.SESSION_DURATION, K.FIRST_INTEREST_DETECTED),
    *(K.LAST_INTEREST_DETECTED, K.CONVERSATION_SUMMARY, K.TAGS, K.NOTES_COUNT, K.CONVERTED_AT, K.CONVERSION_VALUE),
    *(K.CONVERSION_SOURCE, K.CREATED_AT, K.UPDATED_AT),
)
COLUMNS = (*(ColumnSpec(field=key) for key in KEYS), ColumnSpec(custom="policy_no"))
RAW = Path(__file__).with_name("raw.sql").read_text().strip()
"""The same columns as they are in the table, of one organization, at most so many: what psql and the peers copy."""

_FILL = """
insert into store.leads (organization_id, id, name, phone, phone_display, phone_key, email, email_key,
  national_id_cipher, national_id_last4, status_id, stage, source, lead_source, score, interest_level, confidence,
  category, primary_language, detected_languages, ai_legitimate, ai_confidence_score, ai_verification_reasons,
  session_id, user_agent, ip_address, location_country, location_city, message_count, session_duration,
  first_interest_detected, last_interest_detected, conversation_summary, chatbot_id, tags, converted_at,
  conversion_value, conversion_source, custom, created_at, updated_at, search_text)
select %(organization)s, gen_random_uuid(),
  (array['Noa','Ravi','Zoé','דנה','Liam','आरव'])[1 + n %% 6] || ' ' || (array['Sample','Muster','לדוגמה','Demo'])[1 + n %% 4] || ' ' || n,
  '+3361' || lpad(n::text, 7, '0'), '+33 6 1' || n, '+3361' || lpad(n::text, 7, '0'),
  'lead' || n || '@example.com', 'lead' || n || '@example.com',
  'k1.sealed', lpad((n %% 10000)::text, 4, '0'), s.id, s.stage,
  (array['WEB','WHATSAPP','CHATBOT','REFERRAL'])[1 + n %% 4], case when n %% 3 = 0 then 'Google Ads, spring' end,
  n %% 101, (array['HOT','HIGH','MEDIUM','LOW'])[1 + n %% 4], (array['HIGH','MEDIUM','LOW'])[1 + n %% 3],
  (array['BUYING_INTENT','DEMO_REQUEST','GENERAL_INQUIRY'])[1 + n %% 3], (array['en','he','hi_transliterated'])[1 + n %% 3],
  array['en','he'], n %% 10 > 0, 50 + n %% 50, array['gave a phone number','asked for a price'],
  md5(n::text), 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '192.0.2.' || n %% 255, 'FR', 'Lyon',
  n %% 40, n %% 1800, moment, moment + interval '4 minutes',
  repeat('Asked about a policy, wants a call back. ', 1 + n %% 4), b.id, array['vip','renewal'],
  case when n %% 5 = 0 then moment end, case when n %% 5 = 0 then n %% 9999 + 0.5 end,
  case when n %% 5 = 0 then 'call' end, jsonb_build_object('policy_no', 'P-' || n), moment, moment, ''
from generate_series(1, %(rows)s) n
cross join lateral (select timestamptz '2024-01-01' + n * interval '31.7 seconds' as moment) m
join (select id, stage, row_number() over (order by position) - 1 as place, count(*) over () as many
      from store.statuses where organization_id = %(organization)s) s on s.place = n %% s.many
join (select id, row_number() over (order by id) - 1 as place, count(*) over () as many
      from store.chatbots where organization_id = %(organization)s) b on b.place = n %% b.many
"""  # noqa: E501 - one value beside the other


def fill(dsn: str, organization: str, rows: int) -> None:
    """Leads of one organization; indexes that exports do not read are left out of the figures."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            "insert into store.chatbots (organization_id, id, name, name_key)"
            " select %s, gen_random_uuid(), 'bot ' || n, 'bot ' || n from generate_series(1, 5) n",
            (organization,),
        )
        connection.execute(
            "insert into store.custom_fields (organization_id, key, label) values (%s, 'policy_no', 'Policy no.')",
            (organization,),
        )
        connection.execute("drop index store.leads_search")
        connection.execute(_FILL, {"organization": organization, "rows": rows})
        connection.execute("vacuum (analyze) store.leads")
        connection.execute("checkpoint")
