"""Samples that repeat what was said before: facts about the user and others, codes, sentences."""

import re

from . import calling, data, smalltalk, values
from .chat import render

# what it is : kind : how it is told (a "/" between ways) : how it is asked : how it is answered
FACTS = data.lines("facts")

# things that one can have: "my dog is called Rex" and "my order number is 4711"
OWNED = [entry.rsplit(":", 1) for entry in data.phrases("owned")]

# things that are: "the train leaves at 7:15"
STATED = [entry.rsplit(":", 1) for entry in data.phrases("stated")]

ABOUT = data.lines("others")

# a statement, a question, an answer; {a} and {b} are drawn by their kinds
TOLD = data.lines("told")

REPEAT = data.phrases("repeat")

AGAIN = data.phrases("again")

OTHERS = data.words("others")
REPEATED = data.words("repeated kinds")
LISTEN = ["Ok, I will remember that.", "Thanks, I will remember that."]


def cap(text):
    return text[0].upper() + text[1:]


def draw(r, kind):
    return getattr(values, kind)(r)


def end(r, said):
    return cap(said) + r.choice(("." if r.random() < 0.85 else "", ".", ".", "!", "")) if r.random() < 0.85 else said


def ask(r, question):
    question = (
        r.choice(
            (
                "",
                "",
                "",
                "",
                "So ",
                "Ok, ",
                "And ",
                "Now, ",
                "Tell me, ",
                "Quick, ",
                "Hey, ",
                "Please, ",
                "Do you know ",
                "Can you tell me ",
            )
        )
        + question
        if r.random() < 0.3
        else question
    )
    question = cap(question) if r.random() < 0.85 else question
    return question + ("?" if question[-1].isalnum() and r.random() < 0.85 else "")


def own_fact(r):
    """(how it is told, question, answer, what to say when told)"""
    if r.random() < 0.55:
        name, kind, told, asked, answer = r.choice(FACTS) if r.random() < 0.6 else FACTS[0]
        value = str(draw(r, kind))
        listen = f"Nice to meet you, {value}!" if name == "name" else LISTEN[0]
        return r.choice(told.split(" / ")).format(value), r.choice(asked.split(" / ")), answer.format(value), listen
    name, kind = r.choice(OWNED)
    value = str(draw(r, kind))
    told = r.choice(
        (
            "my {0} is {1}",
            "my {0} is {1}",
            "the {0} is {1}",
            "I have the {0} {1}",
            "{1} is my {0}",
            "my {0}: {1}",
            "for the record, my {0} is {1}",
            "remember that my {0} is {1}",
            "please note my {0}: {1}",
        )
    )
    if name.endswith("'s name"):
        who = name[:-7]
        told = r.choice(
            (told, "my {2} is called {1}", "I have a {2} named {1}", "{1} is my {2}", "my {2}'s name is {1}", "my {2} is {1}")
        )
        asked = r.choice(
            (
                "what is my {0}",
                "what is my {2} called",
                "who is my {2}",
                "what's my {0}",
                "what is the name of my {2}",
                "do you know my {0}",
            )
        )
        return told.format(name, value, who), asked.format(name, value, who), f"Your {name} is {value}.", LISTEN[0]
    asked = r.choice(
        (
            "what is my {0}",
            "what's my {0}",
            "tell me my {0}",
            "what was my {0}",
            "which {0} do I have",
            "do you remember my {0}",
            "can you repeat my {0}",
            "what did I say my {0} is",
            "I forgot my {0}, what is it",
            "what {0} did I give you",
            "repeat my {0}",
            "say my {0}",
        )
    )
    return told.format(name, value), asked.format(name), f"Your {name} is {value}.", LISTEN[0]


def stated_fact(r):
    name, kind = (
        r.choice(STATED)
        if r.random() < 0.75
        else (
            "the "
            + r.choice((r.choice(calling.ATTRIBUTES).replace("_", " "), r.choice(calling.THINGS), values.invented(r, False)))
            + r.choice(("", "", " of " + values.invented(r), " number")),
            r.choice(("identifier", "invented", "person", "city", "whole", "date", "time", "color", "email", "decimal")),
        )
    )
    name = name.replace("PLACE", values.country(r))
    value = str(draw(r, kind))
    told = r.choice(
        (
            f"{name} is {value}",
            f"{name} is {value}",
            f"{name} is {value}",
            f"{name}: {value}",
            f"{value} is {name}",
            f"remember: {name} is {value}",
            f"I tell you that {name} is {value}",
            f"note that {name} is {value}",
        )
    )
    bare = name.removeprefix("the ")
    return told, r.choice(AGAIN).format(name, cap(bare)), f"{cap(name)} is {value}.", LISTEN[0]


def other_fact(r, who=None):
    who = who or (values.person(r) if r.random() < 0.7 else f"{r.choice(('my', 'the', 'our'))} {r.choice(OTHERS)}")
    form, kind, asked, answer = r.choice(ABOUT)
    value = str(draw(r, kind))
    shown = re.sub(r"^my ", "your ", who)
    return (
        f"{who} {form.format(value)}",
        r.choice(asked.split(" / ")).replace("NAME", who),
        cap(answer.replace("NAME", shown).format(value)),
        LISTEN[0],
    )


def told_fact(r):
    statement, questions, answer = r.choice(TOLD)
    found = {}

    def fill(match):
        name, _, kind = match.group(1).partition(":")
        if name not in found:
            found[name] = str(draw(r, kind))
        return found[name]

    slots = r"\{(\w+(?::\w+)?)\}"
    return (
        re.sub(slots, fill, statement),
        re.sub(slots, fill, r.choice(questions.split(" / "))),
        cap(re.sub(slots, fill, answer)),
        LISTEN[0],
    )


def several_facts(r):
    """Facts of which no two answer the same question."""
    wanted, facts = r.choice((1, 1, 1, 2, 2, 3, 4)), []
    for _ in range(20):
        kind = r.random()
        fact = own_fact(r) if kind < 0.38 else stated_fact(r) if kind < 0.58 else other_fact(r) if kind < 0.72 else told_fact(r)
        lead = fact[2].split(" is ")[0].split(" at ")[0][:14].lower()
        if all(lead != other[2].split(" is ")[0].split(" at ")[0][:14].lower() and fact[1] != other[1] for other in facts):
            facts.append(fact)
        if len(facts) == wanted:
            break
    return facts


def facts(r):
    known = several_facts(r)
    messages = []
    if r.random() < 0.4:
        # all in one message, the question at its end
        told = r.choice((". ", ". ", ". ", " and ", ", ")).join(
            fact[0] if index else cap(fact[0]) for index, fact in enumerate(known)
        )
        told = ". ".join(cap(part) for part in told.split(". ")) if r.random() < 0.8 else told
        fact = r.choice(known)
        joint = r.choice((". ", ". ", ". ", "! ", "\n", " - ", "; "))
        messages.append({"role": "user", "content": told + joint + ask(r, fact[1])})
        messages.append({"role": "assistant", "content": fact[2]})
        left = [other for other in known if other is not fact]
    else:
        if r.random() < 0.25:
            messages += smalltalk.turn(r)
        while known and (not messages or r.random() < 0.7):
            fact = known.pop(0)
            messages.append({"role": "user", "content": r.choice(("", "", "", "", "Hi, ", "Hello! ", "Hey. ")) + end(r, fact[0])})
            messages.append({"role": "assistant", "content": fact[3]})
            if r.random() < 0.25:
                messages += smalltalk.turn(r)
            if r.random() < 0.8 or not known:
                messages.append({"role": "user", "content": ask(r, fact[1])})
                messages.append({"role": "assistant", "content": fact[2]})
            else:
                known.append(fact)
                if len(messages) > 12:
                    break
        if len(messages) > 2 and messages[-1]["content"] in LISTEN:
            messages.append({"role": "user", "content": ask(r, fact[1])})
            messages.append({"role": "assistant", "content": fact[2]})
        left = []
    for fact in left[:2]:
        if r.random() < 0.6:
            messages.append({"role": "user", "content": ask(r, fact[1])})
            messages.append({"role": "assistant", "content": fact[2]})
    return messages


def repeat(r):
    kind = r.random()
    if kind < 0.3:
        said = values.sentence(r)
    elif kind < 0.5:
        said = " ".join(values.invented(r, r.random() < 0.4) for _ in range(r.randint(1, 5)))
    elif kind < 0.55:
        said = values.alike(r)
    elif kind < 0.6:
        said = " ".join(str(values.whole(r)) for _ in range(r.randint(2, 5)))
    elif kind < 0.7:
        said = ", ".join(
            r.choices((values.invented(r, False), values.thing(r), str(values.small(r)), values.color(r)), k=r.randint(2, 4))
        )
    else:
        said = str(draw(r, r.choice(REPEATED)))
    request = r.choice(REPEAT)
    request = request if r.random() < 0.85 else request[0].lower() + request[1:]
    opener = r.choice(("Hi! ", "Hello, please do this. ", "Ok. ", "Please. ")) if r.random() < 0.08 else ""
    asked = opener + request.format(said)
    if request.endswith("{}") and r.random() < 0.15 and said[-1] not in ".!?":
        asked += "."
    return [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]


def echo(r):
    """Words in any order, said twice: the plainest form of copying, to begin with."""
    words = [
        values.invented(r, r.random() < 0.5)
        if r.random() < 0.6
        else str(values.whole(r))
        if r.random() < 0.5
        else r.choice(values.COMMON)
        for _ in range(r.randint(2, 12))
    ]
    said = " ".join(words)
    return [{"role": "user", "content": f"Repeat: {said}"}, {"role": "assistant", "content": said}]


def echo_sample(r):
    return render(echo(r))


def sample(r):
    kind = r.random()
    messages = facts(r) if kind < 0.68 else repeat(r)
    tools = calling.offered(r, [], r.choice((1, 2, 3))) if r.random() < 0.07 else None
    if r.random() < 0.12:
        messages.insert(0, {"role": "system", "content": calling.system(r)})
    return render(messages, tools)
