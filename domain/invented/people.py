"""The words that invented people are made of.

Telephone numbers are of ranges kept for fiction (US 555-01xx, Ofcom, Arcep, Bundesnetzagentur, ACMA) or, where a
country keeps none, of subscriber blocks that start with zeros. Mail addresses are of the domains of RFC 2606.
"""

from dataclasses import dataclass
from typing import Final

Name = tuple[str, str]
"""As written, and in ASCII for a mail address."""

MAIL_DOMAINS: Final = ("example.com", "example.org", "example.net", "mail.example.com", "office.example.org")


@dataclass(frozen=True, slots=True, kw_only=True)
class Locale:
    """People of one language in one country. `phones`: prefixes in E.164, each followed by `digits` more digits."""

    language: str
    also: tuple[str, ...]
    country: str
    country_name: str
    currency: str
    share: int
    given: tuple[Name, ...]
    family: tuple[Name, ...]
    streets: tuple[str, ...]
    cities: tuple[str, ...]
    phones: tuple[str, ...]
    digits: int
    remarks: tuple[str, ...]

    def phone(self, number: int) -> str:
        """The number-th phone, another one each time while they last."""
        prefix = self.phones[number % len(self.phones)]
        room = 10**self.digits
        return f"{prefix}{number // len(self.phones) * 7 % room:0{self.digits}d}"


def _plain(words: str) -> tuple[Name, ...]:
    return tuple((word, word.lower()) for word in words.split())


def _pairs(words: str) -> tuple[Name, ...]:
    return tuple((written, ascii_form) for written, _, ascii_form in (word.partition("/") for word in words.split()))


_AMERICAN: Final = (201, 202, 206, 212, 213, 214, 215, 216, 303, 305, 312, 313, 314, 315, 317, 404, 406, 408, 410, 412)

ENGLISH_US: Final = Locale(
    language="en",
    also=("es",),
    country="US",
    country_name="United States",
    currency="USD",
    share=26,
    given=_plain(
        "Avery Blake Casey Dana Ellis Finley Gale Harper Indie Jules Kerry Logan Morgan Noel Parker Quinn Riley"
    ),
    family=_plain("Alder Birch Cedarwood Dogwood Elmore Fernside Grove Hazelton Ivywood Juniper Larch Maplewood Oakes"),
    streets=("Maple Avenue", "Second Street", "Lakeview Drive", "Orchard Road"),
    cities=("Springfield", "Riverside", "Fairview", "Greenville", "Madison"),
    phones=tuple(f"+1{area}55501" for area in _AMERICAN),
    digits=2,
    remarks=("Asked for a call back after five", "Wants to compare two plans", "Prefers e-mail", "Left a voice mail"),
)
ENGLISH_GB: Final = Locale(
    language="en",
    also=(),
    country="GB",
    country_name="United Kingdom",
    currency="GBP",
    share=12,
    given=_plain(
        "Alfie Beatrix Cedric Daphne Edmund Florence Gwen Hugo Imogen Jasper Kitty Lionel Mabel Nigel Ottilie"
    ),
    family=_plain("Ashdown Bramley Cotswold Dunmore Easton Fenwick Greenhalgh Hartley Kettleby Lockwood Merriweather"),
    streets=("High Street", "Station Road", "Church Lane", "Mill Lane"),
    cities=("London", "Leeds", "Bristol", "Cardiff", "Sheffield"),
    phones=("+442079460", "+441134960", "+441144960", "+441174960", "+441214960", "+441314960", "+441614960"),
    digits=3,
    remarks=("Ring in the morning, please", "Interested in the family cover", "Sent the brochure"),
)
AUSTRALIAN: Final = Locale(
    language="en",
    also=(),
    country="AU",
    country_name="Australia",
    currency="AUD",
    share=5,
    given=_plain("Banjo Clementine Darcy Evie Flynn Gemma Heath Isla Jarrah Kirra Lachie Matilda Ned Olive"),
    family=_plain("Banksia Coolabah Driftwood Eucalyptus Grevillea Jacaranda Kurrajong Melaleuca Wattle"),
    streets=("Beach Road", "Banksia Street", "Harbour Parade"),
    cities=("Sydney", "Melbourne", "Brisbane", "Perth"),
    phones=("+6125550", "+6135550", "+6175550", "+6185550"),
    digits=4,
    remarks=("Moving house in winter", "Call on the weekend"),
)
FRENCH: Final = Locale(
    language="fr",
    also=("en",),
    country="FR",
    country_name="France",
    currency="EUR",
    share=14,
    given=_pairs(
        "Aurélie/aurelie Benoît/benoit Cécile/cecile Damien/damien Éloïse/eloise Fabrice/fabrice Gaëlle/gaelle"
        " Hélène/helene Inès/ines Joël/joel Léa/lea Maëlys/maelys Noémie/noemie Rémi/remi Zoé/zoe"
    ),
    family=_pairs(
        "Beauséjour/beausejour Châtaignier/chataignier Delaforêt/delaforet Fontclaire/fontclaire Hêtre/hetre"
        " Lagarenne/lagarenne Montfleuri/montfleuri Prévert/prevert Saulnière/sauniere Tilleul/tilleul"
    ),
    streets=("Rue Longue", "Avenue des Tilleuls", "Place du Marché", "Chemin Vert"),
    cities=("Lyon", "Nantes", "Rennes", "Orléans", "Besançon"),
    phones=("+3319900", "+3326191", "+3335301", "+3346571", "+3353649"),
    digits=4,
    remarks=("Rappeler après 18 h", "Souhaite un devis détaillé", "A déjà un contrat jusqu’en juin"),
)
GERMAN: Final = Locale(
    language="de",
    also=("en",),
    country="DE",
    country_name="Germany",
    currency="EUR",
    share=10,
    given=_pairs(
        "Anneliese/anneliese Björn/bjoern Cäcilie/caecilie Detlef/detlef Elke/elke Götz/goetz Jörg/joerg"
        " Käthe/kaethe Lüder/lueder Mechthild/mechthild Rüdiger/ruediger Sören/soeren Ute/ute"
    ),
    family=_pairs(
        "Ahornblatt/ahornblatt Birkenhöfer/birkenhoefer Eichmüller/eichmueller Großwald/grosswald"
        " Kieferle/kieferle Lindenthaler/lindenthaler Tannhäger/tannhaeger Weißdorn/weissdorn"
    ),
    streets=("Lindenstraße", "Am Markt", "Gartenweg"),
    cities=("Köln", "München", "Görlitz", "Weißenfels"),
    phones=("+493023125", "+496990009", "+492214710", "+498999998"),
    digits=3,
    remarks=("Bitte erst ab 17 Uhr anrufen", "Möchte ein schriftliches Angebot", "Rückfrage zur Kündigungsfrist"),
)
HEBREW: Final = Locale(
    language="he",
    also=("en", "ru"),
    country="IL",
    country_name="Israel",
    currency="ILS",
    share=15,
    given=_pairs(
        "דנה/dana נועם/noam תמר/tamar איתי/itai שירה/shira עומר/omer מאיה/maya יונתן/yonatan רוני/roni"
        " גל/gal הילה/hila אסף/asaf"
    ),
    family=_pairs(
        "אלוני/aloni ברושי/broshi גפני/gafni דקלי/dikli הדס/hadas ורדי/vardi זיתוני/zeituni חרובי/haruvi"
        " ערמוני/armoni רימוני/rimoni תאני/teeni"
    ),
    streets=("רחוב הגפן", "שדרות האלון", "רחוב הזית"),
    cities=("תל אביב", "חיפה", "ירושלים", "באר שבע", "נתניה"),
    phones=("+97250000", "+97252000"),
    digits=4,
    remarks=("ביקשה שיחזרו אליה אחרי השעה 17:00", "מתעניין בפוליסת בריאות למשפחה", "לשלוח הצעת מחיר בווטסאפ"),
)
HINDI: Final = Locale(
    language="hi",
    also=("en",),
    country="IN",
    country_name="India",
    currency="INR",
    share=7,
    given=_pairs(
        "आरव/aarav अनिका/anika देव/dev ईशा/isha कबीर/kabir मीरा/meera नील/neel रिया/riya तारा/tara विहान/vihaan"
    ),
    family=_pairs("अशोकवन/ashokvan बरगदे/bargade चंदनी/chandani कमलेश्वर/kamaleshwar नीमवाल/neemwal पलाशी/palashi"),
    streets=("गांधी मार्ग", "नीम गली"),
    cities=("मुंबई", "दिल्ली", "पुणे"),
    phones=("+912255500", "+911155500"),
    digits=3,
    remarks=("शाम को फ़ोन करें", "परिवार के लिए बीमा चाहिए"),
)
HINDI_TRANSLITERATED: Final = Locale(
    language="hi_transliterated",
    also=("hi", "en"),
    country="IN",
    country_name="India",
    currency="INR",
    share=7,
    given=_plain("Aarav Anika Dev Isha Kabir Meera Neel Riya Tara Vihaan Zoya"),
    family=_plain("Ashokvan Bargade Chandani Kamaleshwar Neemwal Palashi Tulsiani"),
    streets=("Gandhi Marg", "Neem Gali"),
    cities=("Mumbai", "Dilli", "Pune"),
    phones=("+912255501", "+911155501"),
    digits=3,
    remarks=("Shaam ko phone karna", "Family ke liye policy chahiye", "Kal subah baat karenge"),
)
ARABIC: Final = Locale(
    language="ar",
    also=("en",),
    country="AE",
    country_name="United Arab Emirates",
    currency="AED",
    share=4,
    given=_pairs("أمل/amal بدر/badr جنى/jana رامي/rami سلمى/salma كريم/karim ليلى/layla نور/nour"),
    family=_pairs("النخيل/alnakheel الزيتون/alzaytoun الياسمين/alyasmin الأرز/alarz السدر/alsidr"),
    streets=("شارع النخيل", "شارع الواحة"),
    cities=("دبي", "الشارقة"),
    phones=("+97150000", "+97152000"),
    digits=4,
    remarks=("يرجى الاتصال بعد الساعة السادسة", "يريد عرض سعر"),
)

LOCALES: Final = (
    ENGLISH_US,
    ENGLISH_GB,
    AUSTRALIAN,
    FRENCH,
    GERMAN,
    HEBREW,
    HINDI,
    HINDI_TRANSLITERATED,
    ARABIC,
)
"""`share` in percent; they add up to 100."""
