"""Values to copy: names, places, numbers, dates, texts. Most are invented anew for each sample, so that only copying helps."""

import re

from . import data

FIRST = data.words("first")
LAST = data.words("last")
CITIES = data.words("cities")
COUNTRIES = data.words("countries")
LANGUAGES = data.words("languages")
COLORS = data.words("colors")
FOODS = data.words("foods")
ANIMALS = data.words("animals")
ROOMS = [
    "kitchen",
    "bedroom",
    "living room",
    "bathroom",
    "office",
    "garage",
    "hall",
    "garden",
    "basement",
    "attic",
    "dining room",
]
JOBS = data.words("jobs")
DAYS = data.words("days")
MONTHS = data.words("months")
CURRENCIES = data.words("currencies")
COMMON = data.words("common")
WORD_NUMBERS = data.words("numbers")

# Everyday things, so that requests about them are no surprise
THINGS = data.words("things")

PLACES = data.words("places")
# Natural ones, where a program's phrases read like word salad
_MESSAGES, _TODOS, _NOUNS = data.phrases("said-messages"), data.phrases("said-todos"), data.phrases("said-nouns")
_TITLES, _IDIOMS, _SEARCHES = data.phrases("said-titles"), data.phrases("said-idioms"), data.phrases("said-searches")
_STARTS = data.words("starts")
_VOWELS = data.words("vowels")
_ENDS = data.words("ends")


def invented(r, capital=True):
    """A word that no dictionary has."""
    parts = []
    for index in range(r.choice((1, 2, 2, 2, 3, 3))):
        start = r.choice(_STARTS) if index or r.random() < 0.85 else ""
        parts.append(start + r.choice(_VOWELS) + (r.choice(_ENDS) if r.random() < 0.45 else ""))
    word = "".join(parts)
    if len(word) < 3:
        word += r.choice(_ENDS) + r.choice("aeo")
    if r.random() < 0.08:
        # letters in any order: the model must copy what it can't pronounce, too
        word = "".join(r.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(r.randint(3, 8)))
    return word.capitalize() if capital else word


def written(r, phrases):
    """One of the phrases, its {slots} filled."""
    return re.sub(r"\{(\w+)\}", lambda slot: str(globals()[slot.group(1)](r)), r.choice(phrases))


def first(r):
    if r.random() < 0.04:
        return f"{r.choice(FIRST)}-{invented(r)}" if r.random() < 0.5 else f"{invented(r)}-{r.choice(FIRST)}"
    return r.choice(FIRST) if r.random() < 0.35 else invented(r)


def last(r):
    if r.random() < 0.05:
        return r.choice(("O'", "Mc", "De ", "Van ", "St. ")) + invented(r)
    return r.choice(LAST) if r.random() < 0.25 else invented(r)


def person(r):
    kind = r.random()
    if kind < 0.45:
        return first(r)
    if kind < 0.93:
        return f"{first(r)} {last(r)}"
    return r.choice(("Dr. ", "Mr. ", "Mrs. ", "Ms. ", "Professor ", "Aunt ", "Uncle ")) + last(r)


def city(r):
    kind = r.random()
    if kind < 0.4:
        return r.choice(CITIES)
    if kind < 0.8:
        return invented(r)
    if kind < 0.9:
        return r.choice(
            ("New ", "San ", "Port ", "North ", "Saint ", "Los ", "El ", "West ", "Bad ", "Rio ", "Fort ")
        ) + invented(r)
    return invented(r) + r.choice((" City", " Falls", " Beach", " Springs", "-on-Sea", "ville", "burg", " Hill"))


def country(r):
    return r.choice(COUNTRIES) if r.random() < 0.5 else invented(r) + r.choice(("", "ia", "land", "stan"))


def company(r):
    return invented(r) + r.choice(("", "", " Ltd", " Inc", " GmbH", " Labs", " Foods", " Motors", " & Sons", " Bank", " Air"))


def product(r):
    thing = r.choice(
        "lamp chair desk phone bike kettle sofa jacket tent mixer drill camera watch printer mug bag toaster".split()
    )
    return r.choice(
        (f"{invented(r)} {r.randint(1, 99)}", f"{invented(r)} {thing}", thing, f"{r.choice(COLORS)} {thing}", invented(r))
    )


def title(r):
    if r.random() < 0.35:
        return written(r, _TITLES)
    kind = r.random()
    if kind < 0.3:
        return f"The {r.choice(COMMON).capitalize()} of {invented(r)}"
    if kind < 0.6:
        return f"{r.choice(COMMON).capitalize()} {r.choice(COMMON).capitalize()}"
    if kind < 0.8:
        return f"{invented(r)} {r.choice(('and', 'in', 'or', 'for', 'with', 'at'))} {invented(r)}"
    return " ".join(word.capitalize() for word in r.choices(COMMON, k=r.randint(2, 4)))


def small(r):
    return r.randint(1, 12) if r.random() < 0.7 else r.randint(1, 60)


def whole(r):
    digits = r.choice((1, 2, 2, 3, 3, 4, 5))
    return r.randint(10 ** (digits - 1), 10**digits - 1)


def percent(r):
    return r.randint(1, 100)


def decimal(r):
    return round(r.uniform(0.1, 10 ** r.choice((1, 2, 3))), r.choice((1, 2))) if r.random() < 0.6 else whole(r)


def number(r):
    """The digits of an order, a code, an account."""
    return "".join(r.choice("123456789" if not index else "0123456789") for index in range(r.randint(3, 9)))


def code(r):
    """A code of letters and digits."""
    kind = r.random()
    capitals = "".join(r.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(r.randint(1, 3)))
    if kind < 0.35:
        return f"{capitals}-{number(r)}"
    if kind < 0.6:
        return f"{capitals}{number(r)[:4]}"
    if kind < 0.8:
        return "".join(r.choice("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789") for _ in range(r.randint(4, 7)))
    return f"{invented(r, False)}-{number(r)[:3]}"


def identifier(r):
    return number(r) if r.random() < 0.55 else code(r)


def date(r):
    day, month = r.randint(1, 28), r.randint(1, 12)
    kind = r.random()
    if kind < 0.25:
        return f"20{r.randint(20, 39)}-{month:02d}-{day:02d}"
    if kind < 0.45:
        return f"{MONTHS[month - 1]} {day}"
    if kind < 0.55:
        return f"{day} {MONTHS[month - 1]}"
    if kind < 0.62:
        return f"{MONTHS[month - 1]} {day}, 20{r.randint(20, 39)}"
    if kind < 0.68:
        return f"{day}/{month}/20{r.randint(20, 39)}"
    if kind < 0.74:
        return (
            f"{MONTHS[month - 1]} {day}{'st' if day in (1, 21) else 'nd' if day in (2, 22) else 'rd' if day in (3, 23) else 'th'}"
        )
    if kind < 0.86:
        return r.choice(DAYS)
    return r.choice(("tomorrow", "today", "tonight", "next week", f"next {r.choice(DAYS)}"))


def time(r):
    kind = r.random()
    if kind < 0.4:
        return f"{r.randint(0, 23)}:{r.choice((0, 5, 10, 15, 20, 30, 40, 45, 50)):02d}"
    if kind < 0.55:
        return f"{r.randint(0, 23):02d}:{r.randint(0, 59):02d}"
    if kind < 0.75:
        return f"{r.randint(1, 12)} {r.choice(('am', 'pm'))}"
    if kind < 0.87:
        return f"{r.randint(1, 12)}{r.choice(('am', 'pm'))}"
    if kind < 0.95:
        return f"{r.randint(1, 12)}:{r.choice((5, 15, 30, 45)):02d} {r.choice(('am', 'pm', 'AM', 'PM'))}"
    return r.choice(("noon", "midnight"))


def duration(r):
    return f"{small(r)} {r.choice(('minutes', 'hours', 'days', 'weeks', 'seconds'))}"


def email(r):
    who = r.choice((first(r).lower(), f"{first(r).lower()}.{invented(r, False)}", f"{invented(r, False)}{r.randint(1, 99)}"))
    where = r.choice((invented(r, False), "example", "mail", "post"))
    return f"{who}@{where}.{r.choice(('com', 'org', 'net', 'example', 'io', 'de'))}"


def phone(r):
    kind = r.random()
    if kind < 0.4:
        return f"{r.randint(200, 999)}-{r.randint(1000, 9999)}"
    if kind < 0.7:
        return f"+{r.randint(1, 99)} {r.randint(100, 999)} {r.randint(1000, 9999)}"
    return f"0{r.randint(100, 999)} {r.randint(10000, 999999)}"


def url(r):
    host = f"{invented(r, False)}.{r.choice(('com', 'org', 'example', 'net', 'dev'))}"
    return r.choice((f"https://{host}", f"https://{host}/{invented(r, False)}", f"www.{host}", host))


def file(r):
    stem = r.choice(
        (
            invented(r, False),
            r.choice(COMMON),
            f"{r.choice(COMMON)}_{r.choice(COMMON)}",
            f"{invented(r, False)}{r.randint(1, 99)}",
        )
    )
    path = r.choice(("", "", "", "docs/", "/tmp/", "src/", f"/home/{invented(r, False)}/"))
    return path + stem + r.choice((".txt", ".pdf", ".csv", ".md", ".json", ".png", ".py", ".zip"))


def address(r):
    return f"{r.randint(1, 300)} {invented(r)} {r.choice(('Street', 'Road', 'Avenue', 'Lane', 'Way', 'Square'))}"


def ticker(r):
    return "".join(r.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for _ in range(r.randint(2, 5)))


def thing(r):
    """A noun phrase in small letters."""
    if r.random() < 0.2:
        return written(r, _NOUNS)
    kind = r.random()
    if kind < 0.15:
        return r.choice(COMMON[50:190])
    if kind < 0.45:
        return r.choice(THINGS) + ("s" if r.random() < 0.2 else "")
    if kind < 0.6:
        return invented(r, False)
    if kind < 0.8:
        return f"{r.choice(COLORS)} {r.choice(THINGS)}"
    if kind < 0.9:
        return f"{r.choice(THINGS)} {r.choice(THINGS)}"
    return f"{invented(r, False)} {r.choice(THINGS)}"


def alike(r):
    """Words that begin alike or repeat themselves: copying needs more than the letter before."""
    start = r.choice(_STARTS)
    words = [
        start + invented(r, False)[1:] if r.random() < 0.6 else start + r.choice(_VOWELS) + r.choice(_ENDS)
        for _ in range(r.randint(2, 5))
    ]
    if r.random() < 0.3:
        words.insert(r.randrange(len(words)), r.choice(words))
    return " ".join(words)


def ip(r):
    return (
        ".".join(str(r.randint(1, 255)) for _ in range(4))
        if r.random() < 0.6
        else f"{r.choice(('10', '192.168', '172.16'))}.{r.randint(0, 255)}.{r.randint(0, 255)}"
    )


def host(r):
    """A machine, a database, a branch: names with dots, dashes and underlines."""
    kind = r.random()
    if kind < 0.3:
        return f"{invented(r, False)}.{invented(r, False)}.{r.choice(('com', 'lan', 'local', 'net', 'io'))}"
    if kind < 0.6:
        begin = r.choice((invented(r, False), "web", "db", "node", "srv", "nas", "app"))
        return begin + "-" + r.choice((str(r.randint(1, 99)), f"0{r.randint(1, 9)}", invented(r, False)))
    if kind < 0.8:
        return f"{invented(r, False)}_{r.choice(('prod', 'test', 'db', 'main', 'old', 'new', invented(r, False)))}"
    return invented(r, False)


def seat(r):
    return f"{r.randint(1, 60)}{r.choice('ABCDEFGHJK')}"


def degree(r):
    return round(r.uniform(-180, 180), r.choice((1, 2, 2, 3, 4)))


def place(r):
    """Where one goes in a town."""
    kind = r.random()
    if kind < 0.3:
        return address(r)
    if kind < 0.6:
        return f"{invented(r)} {r.choice(PLACES)}"
    if kind < 0.75:
        name = r.choice(COMMON[50:190]).capitalize()
        return f"{name} {r.choice(('Street', 'Square', 'Lane', 'Road', 'Hill', 'Bridge'))} {r.randint(1, 200)}"
    return city(r)


def food(r):
    return r.choice(FOODS) if r.random() < 0.6 else thing(r)


def text(r):
    """A few words of any kind, as people dictate them."""
    if r.random() < 0.5:
        return written(r, r.choice((_TODOS, _TODOS, _MESSAGES, _NOUNS, _IDIOMS, _SEARCHES, _TITLES)))
    kind = r.random()
    if kind < 0.06:
        return alike(r)
    if kind < 0.45:
        verb = r.choice(
            "call buy send bring take find check clean wash pay fix read write visit meet pick feed water return order".split()
        )
        tail = r.choice(
            ("", "", f" for {first(r)}", " the way home", f" in {city(r)}", f" from {first(r)}", f" with {first(r)}", " again")
        )
        return f"{verb} {r.choice(('the', 'my', 'a', 'some', 'our', ''))} {thing(r)}{tail}".replace("  ", " ")
    words = [invented(r, r.random() < 0.3) if r.random() < 0.25 else r.choice(COMMON) for _ in range(r.randint(1, 8))]
    if r.random() < 0.1:
        words.insert(r.randrange(len(words)), str(whole(r)))
    return " ".join(words)


def sentence(r):
    """A sentence to repeat or to send, with its capital."""
    if r.random() < 0.55:
        return written(r, r.choice((_MESSAGES, _MESSAGES, _MESSAGES, _IDIOMS, _TODOS)))
    said = r.choice(
        (
            text(r),
            f"I am {r.choice(('late', 'here', 'busy', 'ready', 'on my way', 'home', 'sick'))}",
            f"see you {r.choice(('soon', 'at ' + time(r), 'on ' + r.choice(DAYS), 'in ' + city(r)))}",
            f"the {thing(r)} is {r.choice(('ready', 'broken', 'lost', 'late', 'here', 'done', 'great'))}",
            f"happy birthday {first(r)}",
            " ".join(
                (
                    first(r),
                    r.choice(("likes", "has", "needs", "wants", "found", "lost")),
                    r.choice(("a", "the", "my", "two")),
                    thing(r),
                )
            ),
        )
    )
    return (said[0].upper() + said[1:] if r.random() < 0.5 else said) + (r.choice(".!?") if r.random() < 0.15 else "")


def language(r):
    return r.choice(LANGUAGES) if r.random() < 0.8 else invented(r)


def currency(r):
    return r.choice(CURRENCIES)


def color(r):
    return r.choice(COLORS)


def room(r):
    return r.choice(ROOMS) if r.random() < 0.7 else thing(r)


def job(r):
    return (
        r.choice(JOBS)
        if r.random() < 0.6
        else r.choice(THINGS) + r.choice((" maker", " seller", "er", " driver", "keeper", "smith", " trainer"))
    )


def day(r):
    return r.choice(DAYS)


def topic(r):
    if r.random() < 0.45:
        return written(r, r.choice((_SEARCHES, _SEARCHES, _NOUNS)))
    return r.choice(
        (
            thing(r),
            thing(r),
            f"{thing(r)} in {city(r)}",
            f"{r.choice(('cheap', 'best', 'new', 'used', 'free'))} {thing(r)}",
            invented(r),
            f"how to {r.choice('cook fix clean paint sell grow'.split())} {thing(r)}",
            text(r),
        )
    )


def total(r):
    """A sum to work out, as people type it."""
    left, right = whole(r), whole(r)
    sign = r.choice("+-*/")
    kind = r.random()
    if kind < 0.7:
        return f"{left} {sign} {right}"
    if kind < 0.85:
        return f"{left}{sign}{right}"
    return f"({left} {sign} {right}) {r.choice('+-*/')} {small(r)}"


def sql(r):
    table = r.choice("users orders products invoices customers events".split())
    return r.choice(
        (
            f"SELECT * FROM {table}",
            f"SELECT name FROM {table} WHERE id = {whole(r)}",
            f"SELECT COUNT(*) FROM {table}",
            f"DELETE FROM {table} WHERE id = {whole(r)}",
        )
    )


def command(r):
    return r.choice(
        (
            f"ls {file(r)}",
            "npm test",
            "git status",
            f"cat {file(r)}",
            f"node {invented(r, False)}.js",
            f"echo {invented(r, False)}",
            "make all",
            f"mkdir {invented(r, False)}",
            "df -h",
            f"npm run {invented(r, False)}",
        )
    )


def version(r):
    return f"{r.choice(('', 'v'))}{r.randint(0, 12)}.{r.randint(0, 30)}.{r.randint(0, 20)}"


def year(r):
    return r.randint(1950, 2040)


def question(r):
    """A question that is a value itself."""
    return r.choice(
        (
            f"Who {r.choice(('brings', 'has', 'wants', 'cooks', 'knows', 'takes'))} the {thing(r)}?",
            f"Where is the {thing(r)}?",
            f"When do we {r.choice(('meet', 'eat', 'leave', 'start', 'go'))}?",
            f"What {r.choice(('do you like', 'is missing', 'shall we cook', 'did you learn'))}?",
            f"Where shall we {r.choice(('go', 'meet', 'stay', 'sit'))}?",
            f"Which {thing(r)} do you like?",
            f"How many {thing(r)} do we need?",
            f"Is {first(r)} coming?",
            f"Do we need a {thing(r)}?",
        )
    )
