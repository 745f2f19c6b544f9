"""Small talk, and what Modelwire is. Each answer has many questions, and each question one answer, so that the model is sure."""

from . import data, values


UNKNOWN = "I am a tiny model: I only know Modelwire and small talk."

STRANGE = data.phrases("unknown")

NO_ANSWER = "You didn't tell me that."
UNTOLD = data.phrases("untold")


TALK, WIRE = data.answers("talk"), data.answers("modelwire")


def fill(r, template):
    import re

    return re.sub(
        r"\{(\w+)\}",
        lambda match: str(values.total(r) if match.group(1) == "sum" else getattr(values, match.group(1))(r)),
        template,
    )


# Other ways to begin the same question, and to end it.
WAYS = [(begin, ways.split(" / ")) for begin, ways in data.lines("ways")]
TAILS = [tail if tail[0] == "," else " " + tail for tail in data.phrases("tails")]


def varied(r, question):
    for begin, ways in WAYS:
        if question.startswith(begin + ("" if begin == "tell me a" else " ")) and r.random() < 0.5:
            return r.choice(ways) + question[len(begin) :]
    return question


def dress(r, question, plain):
    """Capitals, marks and an opening as people type them."""
    question = varied(r, question)
    if r.random() < 0.12:
        question += r.choice(TAILS)
    asks = question.split()[0] in "what how who which where why when is are can do does will may could explain what's".split()
    if r.random() < 0.18 and not plain:
        question = (
            r.choice(
                (
                    "hey, ",
                    "hi, ",
                    "hello, ",
                    "ok, ",
                    "so ",
                    "and ",
                    "please tell me: ",
                    "tell me, ",
                    "I wonder, ",
                    "sorry, ",
                    "well, ",
                    "now, ",
                    "hi! ",
                    "one more: ",
                    "question: ",
                    "can you tell me ",
                    "could you tell me ",
                    "I'd like to know ",
                    "quickly: ",
                    "do you know ",
                )
            )
            + question
        )
    elif r.random() < 0.08:
        question += (
            r.choice((", please", " please", " exactly", ", pocket", " then", " in modelwire"))
            if not plain
            else r.choice((", pocket", " pocket", "!", " :)", ", my friend"))
        )
    if r.random() < 0.8:
        question = question[0].upper() + question[1:]
    mark = "?" if asks else r.choice((".", "!", "", "."))
    if question[-1].isalnum() and r.random() < 0.8:
        question += mark
    if "modelwire" in question and r.random() < 0.7:
        question = question.replace("modelwire", "Modelwire") if not question.startswith("modelwire ") else question
    return question


def turn(r, known=False):
    """One question and its answer."""
    kind = r.random()
    if kind < 0.42:
        answer, questions = r.choice(TALK)
        question = dress(r, r.choice(questions), True)
    elif kind < 0.84:
        answer, questions = r.choice(WIRE) if r.random() < 0.8 else WIRE[r.randrange(12)]
        question = dress(r, r.choice(questions), False)
    else:
        answer, question = UNKNOWN, dress(r, fill(r, r.choice(STRANGE)), False)
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


def idle(r):
    """A turn that no tool could answer."""
    while True:
        answer, questions = r.choice(TALK + WIRE)
        if not ("weather tool" in answer or "time tool" in answer or "joke" in answer or answer.startswith("Why did")):
            question = dress(r, r.choice(questions), True)
            return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


def sample(r):
    from . import calling
    from .chat import render

    messages = []
    if r.random() < 0.05:
        question = r.choice(UNTOLD)
        messages += [{"role": "user", "content": dress(r, question, True)}, {"role": "assistant", "content": NO_ANSWER}]
    for _ in range(r.choice((1, 1, 1, 2, 2, 3, 4))):
        messages += turn(r)
    tools = None
    if r.random() < 0.45:
        # tools lie there, and nobody asked for one; only what no tool could answer comes here
        messages = [turn for _ in range(r.choice((1, 1, 2))) for turn in idle(r)]
        tools = calling.offered(r, [])
    if r.random() < 0.2:
        messages.insert(0, {"role": "system", "content": calling.system(r)})
    return render(messages, tools)
