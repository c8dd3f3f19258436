"""The words that name contrast phases in series descriptions of many languages, and the words that rule a phase out.

Patterns are matched in text that is lower case, without accents on Latin letters, and with punctuation made blank.
``<`` and ``>`` in a pattern stand for the edges of a word in any script; East Asian words need none.
"""

from __future__ import annotations

import re
import unicodedata

_LETTER = r"[^\W\d_]"

# Not a phase, whatever else the text says. Order: the reason that is reported first.
_EXCLUDED = (
    ("a scout or localizer", r"<(scouts?|locali[sz]er\w*|loc|topogram\w*|surview|scanogram\w*|scano|survey|pilot)>"),
    (
        "bolus tracking",
        r"<(bolus ?(track\w*|timing|test|monitor\w*)|(test|timing|care) ?bolus|smart ?prep|sure ?start|"
        r"pre ?monitoring|monitoring|tracker|i control)>",
    ),
    ("a dose report", r"<(dose (report|record|info\w*|summary)|dosis\w*|patient protocol|exam summary)>"),
    ("a projection", r"<(mips?|min ?ip|mnip|minips?|vrt|volume render\w*|3d render\w*)>"),
    ("a virtual non-contrast image", r"<(vnc|vue|virtual\w* (non|un|nativ|true)\w*|virtuell\w* nativ\w*)>"),
    ("an iodine map", r"<(iodine|iod|jod\w*|iodo|iode|z eff\w*|effective z|water iodine)>|ヨード|碘"),
    (
        "a subtraction",
        r"<(sub|subs|subtr\w*|subtrak\w*|substraction|soustraction|sottrazione|sustraccion)>|差分|减影|減影",
    ),
    ("a perfusion map", r"<(perfusion|perf|ttp|tmax|cbf|cbv|mtt|rcbf)>"),
)

# Said of a text that covers several phases: by itself it names none.
_SEVERAL = re.compile(
    r"(?<!\w)(\d|two|three|four|bi|tri|multi|quadri|triple|drei|zwei|vier|mehr) ?(phas|fas|faz|фаз)\w*|"
    r"(?<!\w)w ?(and )?w ?o(?!\w)|(?<!\w)w ?o (and )?w(?!\w)|多期|三期|3期"
)

# Treatments and procedures after "pre": the time point, not the contrast.
_PROCEDURES = (
    r"op|ops|operat\w*|tace|deb|treat\w*|therap\w*|tx|rx|chemo\w*|ablat\w*|biops\w*|bx|proced\w*|surg\w*|emboli\w*|"
    r"transpl\w*|ltx|olt|y90|sirt|tare|tips|rfa|mwa|interven\w*|radio\w*|study|scan|monitoring|auth\w*"
)

# (phase, explicit, pattern). Explicit: the word itself is the phase. Not explicit: an abbreviation or a short form.
_WORDS = (
    # "late arterial" and "early portal" are one phase each, so the qualifier is taken with its noun.
    (
        "ARTERIAL",
        True,
        r"<((early|late|fruh\w*|spat\w*|tard\w*|precoc\w*|vroeg\w*|laat\w*) ?)?"
        r"(arteri(al|ale|alna|el|ell\w*|elle|eel|ele|osa|oso|osas)|hepatic arter\w*|tetnicz\w*|артериальн\w*)"
        r"( (early|late|fruh|spat|tard\w*|precoc\w*))?>|(?<!\w)spatarteriell\w*|(?<!\w)fruharteriell\w*|"
        r"(早期|後期|后期|晚期|조기|후기)?(動脈|动脉|동맥)",
    ),
    ("ARTERIAL", False, r"<((early|late) )?(art|hap|eap|lap)( (early|late))?>"),
    (
        "PORTAL_VENOUS",
        True,
        r"<((early|late|fruh\w*|spat\w*|tard\w*|precoc\w*) )?(porto ?)?(portal\w*( ?ven\w*)?|porta|portovenos\w*|portoveneu\w*|"
        r"wrotn\w*|портальн\w*( ?венозн\w*)?)>|門脈|门脉|門静脈|门静脉|문맥",
    ),
    (
        "PORTAL_VENOUS",
        True,
        r"<(venous|venos\w*|veneu\w*|veineu\w*|porto ?ven\w*|pvp|zyln\w*|венозн\w*)>|(?<!門)(?<!门)静脈|(?<!门)静脉|정맥",
    ),
    ("PORTAL_VENOUS", False, r"<(pv|ven)>"),
    (
        "DELAYED",
        True,
        r"<(delayed|delays?|equilib\w*|equilibr\w*|late phase|tardi\w*|retard\w*|spat(?!ven)\w*|gleichgewicht\w*|"
        r"laat|late fase|pozn\w*|opoznion\w*|rownowag\w*|отсроченн\w*|поздн\w*|равновес\w*|отложенн\w*)>|"
        r"遅延|平衡|延迟|延遲|지연|평형|後期相",
    ),
    ("DELAYED", False, r"<late>"),
    (
        "NATIVE",
        True,
        r"<(native|nativ|nativo|nativa|nativn\w*|natywn\w*|нативн\w*|(non|no|un|without|w o|wo|sans|sin|senza|sem|ohne|zonder|"
        r"bez|без) ?(iv )?(contrast\w*|kontrast\w*|contraste|contrasto|injection|inj|mdc|km|enhanced|контраст\w*)|"
        r"unenhanced|noncon|non con|pre ?contrast\w*|pre ?kontrast\w*|pre ?injection|pre ?gd|basale|blanco|blanko)>|"
        r"平扫|平掃|単純|單純|비조영|造影前|조영 ?전",
    ),
    ("NATIVE", False, r"<(nc|ncct|nect|wo|w o|plain|(pre|vor|avant)(?! (" + _PROCEDURES + r")(?!\w)))>"),
    (
        "HEPATOBILIARY",
        True,
        r"<(hepato ?bil\w*|epato ?bil\w*|hbp|leberspez\w*|гепатобилиар\w*|гепатоспециф\w*|watrobowo ?zolc\w*)>|"
        r"肝細胞|肝胆|肝膽|간담도|간세포",
    ),
)


def _compile(pattern: str) -> re.Pattern[str]:
    lookbehind = "\0"  # keeps the "<" of "(?<!" out of the way
    pattern = pattern.replace("(?<!", lookbehind).replace("(?<=", "\1")
    pattern = pattern.replace("<", f"{lookbehind}{_LETTER})(?:").replace(">", f")(?!{_LETTER})")
    return re.compile(pattern.replace(lookbehind, "(?<!").replace("\1", "(?<="))


_EXCLUDED_PATTERNS = tuple((reason, _compile(pattern)) for reason, pattern in _EXCLUDED)
_WORD_PATTERNS = tuple((name, explicit, _compile(pattern)) for name, explicit, pattern in _WORDS)


def normalise(text: str) -> str:
    """Lower case, Latin letters without accents, everything but letters and digits blank.

    Decomposing the whole text would tear Hangul into jamo, so letters are decomposed one by one and only Latin ones change.

    >>> normalise("ARTÉRIELLE_tardive (C+)")
    'arterielle tardive c'
    """
    letters = []
    for letter in unicodedata.normalize("NFC", text).casefold():
        base = unicodedata.normalize("NFD", letter)[0]
        letters.append(base if base.isascii() else {"ł": "l"}.get(letter, letter))
    return " ".join(re.sub(r"[\W_]+", " ", "".join(letters)).split())


def excluded_by(text: str) -> str:
    """What the text names that is no contrast phase (``a scout or localizer``), or ``""``."""
    plain = normalise(text)
    return next((reason for reason, pattern in _EXCLUDED_PATTERNS if pattern.search(plain)), "")


def phases_in(text: str) -> tuple[tuple[str, str, bool], ...]:
    """(phase, word, explicit) for each phase that the text names; the word is shown as it was matched.

    A matched word is taken out before the next pattern looks, so that the ``late`` of ``late arterial`` is not a delayed
    phase. A text about several phases (``3 phase``, ``w/wo``) names only those that it spells out.
    """
    plain = normalise(text)
    several = _SEVERAL.search(plain) is not None
    hits: dict[str, tuple[str, str, bool]] = {}
    for name, explicit, pattern in _WORD_PATTERNS:
        found = pattern.search(plain)
        if not found:
            continue
        plain = pattern.sub(" ", plain)
        if not (several and (not explicit or name == "NATIVE")):
            hits.setdefault(name, (name, found[0].strip(), explicit))
    return tuple(hits.values())
