"""Samples in which a tool has answered, and its answer is said in a sentence."""

import re

from . import calling, data, smalltalk, values
from .chat import dumps, render

KEYS = [entry.split(":") for entry in data.phrases("keys")]
STATUS = data.words("status")
WEATHER = data.words("weather")
UNITS = (("celsius", "°C"), ("degrees", "degrees"), ("fahrenheit", "°F"), ("temp_c", "°C"), ("temperature_c", "°C"))


def words(key):
    return (
        re.sub(r"([a-z])([A-Z])", lambda match: f"{match.group(1)} {match.group(2).lower()}", key)
        .replace("_", " ")
        .replace("-", " ")
    )


def draw(r, kind):
    if kind == "STATUS":
        return r.choice(STATUS)
    if kind == "WEATHER":
        return r.choice(WEATHER)
    if kind == "BOOL":
        return r.random() < 0.5
    return getattr(values, kind)(r)


def said(value):
    return "yes" if value is True else "no" if value is False else str(value)


def joined(parts):
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def facts(r, arguments):
    """A result with its sentence: `The price is 12 and the status is open.`"""
    count = r.choice((1, 1, 1, 2, 2, 2, 3, 3, 4))
    result = {}
    for key, kind in r.sample(KEYS, k=count):
        if r.random() < 0.15:
            key, kind = values.invented(r, False), r.choice(("invented", "whole", "city", "decimal", "person", "code"))
        result[calling.styled(r, key)] = draw(r, kind)
    if arguments and r.random() < 0.25:
        key, value = r.choice(list(arguments.items()))
        result = {key: value, **{other: its for other, its in result.items() if other != key}}
    return result, cap(joined([f"the {words(key)} is {said(value)}" for key, value in result.items()]) + ".")


def cap(text):
    return text[0].upper() + text[1:]


def weather(r):
    place, warm = values.city(r), r.randint(-15, 38)
    key, unit = r.choice(UNITS)
    result = {r.choice(("city", "location", "place", "town")): place, key: warm}
    sky = r.choice(WEATHER)
    if r.random() < 0.5:
        result[r.choice(("sky", "conditions", "weather", "condition", "forecast"))] = sky
        return place, result, f"It is {warm} {unit} and {sky} in {place}."
    return place, result, f"It is {warm} {unit} in {place}."


def answer(r, arguments):
    """(what the tool says, the sentence)"""
    kind = r.random()
    if kind < 0.62:
        result, sentence = facts(r, arguments)
        return dumps(result, compact=r.random() < 0.4), sentence
    if kind < 0.68:
        key = r.choice(("ok", "success", "done", "sent", "created", "saved", "deleted", "booked"))
        good = r.random() < 0.7
        return dumps({key: good}, r.random() < 0.4), "Done." if good else "That did not work."
    if kind < 0.74:
        problem = r.choice(
            (
                f"no such {r.choice(calling.THINGS)}",
                "not found",
                f"{values.invented(r)} is unknown",
                "timeout",
                f"unknown city {values.city(r)}",
                "permission denied",
                f"out of {r.choice(calling.THINGS)}",
                values.text(r),
            )
        )
        return (
            r.choice((dumps({"error": problem}, r.random() < 0.4), f"Error: {problem}", f"error: {problem}")),
            f"That did not work: {problem}.",
        )
    if kind < 0.82:
        value = str(draw(r, r.choice(("whole", "decimal", "decimal", "identifier", "small"))))
        return value, f"The answer is {value}."
    if kind < 0.9:
        found = (
            [str(draw(r, "person")) for _ in range(r.randint(2, 4))]
            if r.random() < 0.5
            else [values.thing(r) for _ in range(r.randint(2, 4))]
        )
        text = dumps(found, r.random() < 0.4)
        if r.random() < 0.3:
            text = dumps({r.choice(("items", "results", "names", "files", "list", "users", "events")): found}, r.random() < 0.4)
        return text, f"I found {joined(found)}."
    text = r.choice(
        (
            values.sentence(r),
            f"{values.product(r)} for {values.decimal(r)}",
            f"{r.choice(WEATHER)}, {values.small(r)} degrees",
            f"{values.company(r)}, {values.address(r)}",
            f"{r.choice(WEATHER)} in {values.city(r)}, {values.small(r)} °C",
            values.title(r),
            f"{values.date(r)} at {values.time(r)}",
            values.person(r),
        )
    )
    text = text.rstrip(".!?")
    content = text + r.choice(("", "", ".", "!"))
    if r.random() < 0.4:
        content = f'"{content}"'
    return content, f"The answer is: {text}."


def conversation(r):
    messages = [{"role": "system", "content": calling.system(r)}] if r.random() < 0.15 else []
    if r.random() < 0.22:
        row = calling.from_row(r, calling.ROWS[0])
        double = r.random() < 0.3
        cities = [weather(r) for _ in range(2 if double else 1)]
        where = row.parameters[0].name
        asked = f"What is the weather in {' and in '.join(city for city, _, _ in cities)}?"
        calls = [{"name": row.name, "arguments": {where: city}} for city, _, _ in cities]
        messages += [
            {
                "role": "user",
                "content": asked
                if r.random() < 0.6
                else calling.dressed(r, f"how is the weather in {' and '.join(city for city, _, _ in cities)}"),
            },
            {"role": "assistant", "calls": calls},
        ]
        messages += [{"role": "tool", "content": dumps(result, r.random() < 0.4)} for _, result, _ in cities]
        messages.append({"role": "assistant", "content": " ".join(sentence for _, _, sentence in cities)})
        return messages, [row]
    request, calls, tools = calling.one_call(r) if r.random() < 0.85 else calling.two_calls(r)
    messages += [{"role": "user", "content": calling.dressed(r, request)}, {"role": "assistant", "calls": calls}]
    sentences = []
    for call in calls:
        content, sentence = answer(r, call["arguments"])
        messages.append({"role": "tool", "content": content})
        sentences.append(sentence)
    messages.append({"role": "assistant", "content": " ".join(sentences)})
    return messages, tools


def sample(r):
    messages, tools = conversation(r)
    kind = r.random()
    if kind < 0.15:
        messages += smalltalk.turn(r)
    elif kind < 0.3:
        request, calls, more = calling.one_call(r)
        if all(tool.name != other.name for tool in more for other in tools):
            tools = [*tools, *more]
            messages += [{"role": "user", "content": calling.dressed(r, request)}, {"role": "assistant", "calls": calls}]
    return render(messages, calling.offered(r, tools, r.choice((1, 1, 2, 3))))
