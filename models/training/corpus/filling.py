"""Samples that turn a text into JSON. The schema is not in the prompt: a grammar forces the keys, the model fills in values."""

import re

from . import calling, data, values
from .chat import render

KEYED = 0.1  # keys are forced by the grammar

# Texts about one thing. `{key:kind}` is said and becomes a value; alternatives of a key are split by "/".
TEXTS = [line for line, in data.lines("texts")]

PREFIXES = [
    "",
    "",
    "",
    "",
    "",
    "",
    "",
    "Extract the data: ",
    "Give me this as JSON: ",
    "JSON please: ",
    "Extract as JSON: ",
    "Parse this: ",
    "Turn this into JSON: ",
    "Fill in the fields: ",
    "Text: ",
    "Read this: ",
    "Convert to JSON: ",
    "Extract the fields from this text: ",
    "Return JSON. ",
    "What are the details? ",
    "Please extract the information from: ",
    "Structure this: ",
]
SUFFIXES = [
    "",
    "",
    "",
    "",
    "",
    "",
    " Extract it.",
    " Give me JSON.",
    " As JSON, please.",
    " Return the fields.",
    " Extract the data.",
]

MOODS = {
    "positive": "great lovely wonderful perfect excellent amazing super nice fantastic good".split(),
    "negative": "terrible awful bad broken horrible poor boring ugly useless late".split(),
}

KINDS = data.words("filled kinds")

INVENTED = [
    ("a person", {"name": "Ada", "age": 36, "city": "London", "job": "engineer"}),
    ("a product", {"name": "Lamp", "price": 12, "color": "blue"}),
    ("a city", {"name": "Norvik", "country": "Norway", "population": 4800}),
    ("a pet", {"name": "Milo", "kind": "cat", "age": 3}),
    ("a book", {"title": "The Quiet River", "author": "Clara Berg", "year": 1987}),
]


def literal(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


def pieces(value):
    """The JSON of a value with weights: keys count little."""
    if isinstance(value, dict):
        out = [("{", KEYED)]
        for index, (key, inner) in enumerate(value.items()):
            out.append((f'{", " if index else ""}"{key}": ', KEYED))
            out += pieces(inner)
        return [*out, ("}", 1.0)]
    if isinstance(value, list):
        out = [("[", 1.0)]
        for index, inner in enumerate(value):
            out += ([(", ", 1.0)] if index else []) + pieces(inner)
        return [*out, ("]", 1.0)]
    if isinstance(value, str):
        return [('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"', 1.0)]
    return [(literal(value), 1.0)]


def told(r, template):
    found = {}

    def fill(match):
        names, kind = match.groups()
        value = getattr(values, kind)(r)
        found[calling.styled(r, r.choice(names.split("/")))] = value
        if isinstance(value, int) and kind == "small" and value < len(values.WORD_NUMBERS) and r.random() < 0.2:
            return values.WORD_NUMBERS[value]
        return str(value)

    return re.sub(r"\{([\w/]+):(\w+)\}", fill, template), found


def labelled(r):
    """`name: Zorb, price: 12`, with keys of any kind."""
    found, parts = {}, []
    style = r.choice(
        (
            "{0}: {1}",
            "{0} is {1}",
            "the {0} is {1}",
            "{0} = {1}",
            "{0} {1}",
            "with {0} {1}",
            "a {0} of {1}",
            "its {0} is {1}",
            "{1} as {0}",
        )
    )
    for _ in range(r.choice((1, 2, 2, 3, 3, 4, 5))):
        key = r.choice(
            (
                r.choice(calling.ATTRIBUTES),
                r.choice(calling.THINGS),
                values.invented(r, False),
                r.choice("name title city date time price count code email color size owner status note place".split()),
            )
        )
        if key in found:
            continue
        value = getattr(values, r.choice(KINDS))(r)
        found[calling.styled(r, key)] = value
        parts.append(style.format(key.replace("_", " "), value))
    separator = r.choice((", ", ", ", "; ", "\n", ". ", " and "))
    return separator.join(parts), found


def mood(r):
    kind = r.choice(list(MOODS))
    word = r.choice(MOODS[kind])
    thing = values.product(r)
    said = r.choice(
        (
            f"the {thing} is {word}",
            f"{word} {thing}",
            f"I bought the {thing} and it is {word}",
            f"what a {word} {thing}",
            f"my {thing} was {word}, I will {'' if kind == 'positive' else 'not '}buy it again",
        )
    )
    result = {"sentiment": kind} if r.random() < 0.6 else {"product": thing, "sentiment": kind}
    return said, result


def several(r):
    """A list in the text becomes an array."""
    kind = r.choice(("person", "city", "food", "thing", "invented", "color", "small", "language"))
    found = [getattr(values, kind)(r) for _ in range(r.choice((1, 2, 2, 3, 3, 4)))]
    said = str(found[0]) if len(found) == 1 else ", ".join(map(str, found[:-1])) + " and " + str(found[-1])
    key = r.choice(
        {
            "person": "names people guests attendees members",
            "city": "cities places stops",
            "food": "items ingredients foods list",
            "thing": "items things tags",
            "invented": "words names tags",
            "color": "colors colours",
            "small": "numbers values scores",
            "language": "languages",
        }[kind].split()
    )
    if r.random() < 0.5:
        head, more = told(r, r.choice(TEXTS))
        more = {name: value for name, value in more.items() if name != key}
        return f"{head}. {key.capitalize()}: {said}" if r.random() < 0.5 else f"{head}, with {said}", {**more, key: found}
    return r.choice(
        (f"{key}: {said}", f"we have {said}", f"{said}", f"the {key} are {said}", f"I like {said}", f"there were {said}")
    ), {key: found}


def switches(r):
    head, found = told(r, r.choice(TEXTS[:30]))
    key = r.choice("in_stock available active member vegetarian remote open paid urgent confirmed married student public".split())
    value = r.random() < 0.5
    word = key.replace("_", " ")
    found[key] = value
    return (
        head
        + r.choice(
            (
                (" and is " if value else " and is not ") + word,
                (", " if value else ", not ") + word,
                (". It is " if value else ". It is not ") + word,
            )
        ),
        found,
    )


def sample(r):
    kind = r.random()
    if kind < 0.03:
        what, whole = r.choice(INVENTED)
        keys = [key for index, key in enumerate(whole) if index == 0 or r.random() < 0.7]
        content, result = r.choice((f"Invent {what}.", f"Make up {what}.", f"Give me {what}.", f"Think of {what}.")), {
            key: whole[key] for key in keys
        }
    else:
        make = told if kind < 0.55 else labelled if kind < 0.78 else several if kind < 0.87 else switches if kind < 0.95 else mood
        said, result = make(r, r.choice(TEXTS)) if make is told else make(r)
        if kind < 0.55 and r.random() < 0.12:
            more, other = told(r, r.choice(TEXTS))
            if not set(other) & set(result):
                said, result = f"{said}. {more}", {**result, **other}
        if r.random() < 0.1 and len(result) > 1:
            # a part of it as an object of its own
            keys = list(result)
            cut = r.randint(1, len(keys) - 1)
            outer = {key: result[key] for key in keys[:cut]}
            name = r.choice(("details", "data", "info", "address", "contact", "item", "customer"))
            if name not in outer:
                result = {**outer, name: {key: result[key] for key in keys[cut:]}}
        elif r.random() < 0.25 and len(result) > 1:
            # the schema may want the keys in another order, or not all of them
            keys = list(result)
            r.shuffle(keys)
            result = {key: result[key] for key in keys[: r.randint(1, len(keys))]}
        if r.random() < 0.06:
            result = {
                key: str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
                for key, value in result.items()
            }
        said = said[0].upper() + said[1:] if r.random() < 0.85 else said
        said += "." if said[-1] not in ".!?" and r.random() < 0.75 else ""
        content = r.choice(PREFIXES) + said + r.choice(SUFFIXES)
    messages = [{"role": "user", "content": content}, {"role": "assistant", "pieces": pieces(result)}]
    if r.random() < 0.12:
        messages.insert(
            0,
            {
                "role": "system",
                "content": r.choice(
                    ("Extract the data.", "Answer in JSON.", "You extract data from text.", "Return JSON.", calling.system(r))
                ),
            },
        )
    return render(messages)
