"""Samples in which tools are offered: one call, two calls, or an answer in words."""

import re

from . import data, values
from .catalog import ROWS
from .chat import BRANCH, dumps, render

INTEGERS = {"small", "whole", "percent", "year"}
NUMBERS = {"decimal", "degree"}


class Tool:
    """One tool as it is offered in one sample: its names are drawn, its requests are known."""

    def __init__(self, name, description, parameters, requests):
        self.name, self.description, self.parameters, self.requests = name, description, parameters, requests
        self.make = any_tool  # makes others of its kind

    def offer(self, r, bare=False):
        properties, required = {}, []
        for parameter in self.parameters:
            schema = {} if parameter.choices and r.random() < 0.3 else {"type": parameter.type}
            if parameter.choices:
                schema["enum"] = parameter.choices
            if parameter.note and not bare:
                schema["description"] = parameter.note
            properties[parameter.name] = schema
            if not parameter.optional:
                required.append(parameter.name)
        offered = {"name": self.name, "parameters": {"type": "object", "properties": properties, "required": required}}
        if r.random() < 0.08:
            del offered["parameters"]["required"]  # many forget it
        if self.description and not bare:
            offered["description"] = self.description
        return offered

    def ask(self, r):
        """A request and the arguments that it asks for."""
        request = r.choice(self.requests)
        arguments = {}

        def fill(match):
            index, forms = int(match.group(1)), match.group(2)
            parameter = self.parameters[index]
            if forms:
                yes, no = forms.split(";")
                value = r.random() < 0.5
                arguments[parameter.name] = value
                return yes if value else no
            value = parameter.draw(r)
            arguments[parameter.name] = value
            return spoken(r, value, parameter)

        said = re.sub(r"\{(\d)(?::([^}]*))?\}", fill, request)
        ordered = {parameter.name: arguments[parameter.name] for parameter in self.parameters if parameter.name in arguments}
        return said, ordered


class Parameter:
    def __init__(self, name, kind, optional, note):
        self.name, self.kind, self.optional, self.note = name, kind, optional, note
        self.choices = kind[1:].split(",") if kind.startswith("=") else None
        self.pool = kind[1:].split(",") if kind.startswith("~") else None
        self.type = "integer" if kind in INTEGERS else "number" if kind in NUMBERS else "boolean" if kind == "bool" else "string"

    def draw(self, r):
        if self.choices:
            return r.choice(self.choices)
        if self.pool:
            return values.thing(r) if r.random() < 0.2 else r.choice(self.pool)
        if self.kind == "sum":
            return values.total(r)
        return getattr(values, self.kind)(r)


def spoken(r, value, parameter):
    """How a value is said: mostly as it is."""
    if isinstance(value, int) and parameter.kind == "small" and value < len(values.WORD_NUMBERS) and r.random() < 0.2:
        return values.WORD_NUMBERS[value]
    if parameter.choices and r.random() < 0.25:
        return value.capitalize() if value.islower() else value
    return str(value)


NOTES = data.phrases("notes")


def note(r, name, kind, tool):
    if r.random() < 0.5:
        return ""
    example = (
        r.choice(kind[1:].split(","))
        if kind[0] in "=~"
        else "true"
        if kind == "bool"
        else str(Parameter(name, kind, False, "").draw(r))
    )
    return r.choice(NOTES).format(name.replace("_", " "), tool.replace("_", " "), example)


def styled(r, name):
    """snake_case mostly, else camelCase or kebab-case."""
    kind = r.random()
    if kind < 0.82 or "_" not in name:
        return name
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest) if kind < 0.95 else name.replace("_", "-")


def from_row(r, row):
    names, descriptions, parameters, requests = row
    name = r.choice(names)
    built = []
    for entry in parameters:
        head, kind = entry.split(":", 1)
        optional = head.endswith("?")
        label = r.choice(head.rstrip("?").split("/"))
        built.append(Parameter(styled(r, label), kind, optional, note(r, label, kind, name)))
    # A model must not lean on a table of names: now and then a tool or a parameter is called something else altogether.
    if r.random() < 0.04:
        name = values.invented(r, False) + r.choice(("", "_tool", "_" + values.invented(r, False)))
    seen = set()
    for parameter in built:
        while parameter.name in seen:
            parameter.name += "_2"
        seen.add(parameter.name)
    required = [parameter for parameter in built if not parameter.optional]
    # requests name parameters by number, so the order stays; sometimes all are required as far as a request names them all
    tool = Tool(styled(r, name), r.choice(descriptions), built, requests)
    if required and r.random() < 0.35 and len(built) > len(required):
        # leave away what is optional, with the requests that need it
        kept = len(required)
        if all(not parameter.optional for parameter in built[:kept]):
            short = [said for said in tool.requests if all(int(index) < kept for index in re.findall(r"\{(\d)", said))]
            if short:
                tool.parameters, tool.requests = built[:kept], short
    elif r.random() < 0.3:
        # the same tool with everything required, where a request names everything
        everything = [said for said in tool.requests if len(set(re.findall(r"\{(\d)", said))) == len(built)]
        if everything:
            for parameter in built:
                parameter.optional = False
            tool.requests = everything
    return tool


# ---- tools put together from verbs, things and parameters ----

VERBS = [(verb, ways.split(" / ")) for verb, ways in data.lines("verbs")]

THINGS = data.words("objects")

# name alternatives : kind : how it is said after the thing
EXTRAS = data.lines("extras")


def noun(r):
    """Mostly a word that everybody knows, else one that nobody does."""
    return r.choice(THINGS if r.random() < 0.5 else values.THINGS) if r.random() < 0.85 else values.invented(r, False)


def deed_of(r):
    return r.choice(VERBS)[0] if r.random() < 0.85 else values.invented(r, False)


def composed(r):
    """A tool that nobody wrote down: a verb, a thing, up to four parameters."""
    verb, ways = r.choice(VERBS)
    thing = noun(r)
    if r.random() < 0.15:
        thing = r.choice(THINGS) + "_" + thing
    spoken_thing = thing.replace("_", " ")
    extras = r.sample(EXTRAS, k=r.choice((0, 1, 1, 2, 2, 2, 3, 3, 4)))
    parameters, phrases, seen = [], [], set()
    for names, kind, forms in extras:
        label = r.choice(names.split("/"))
        if r.random() < 0.15:
            label = f"{thing}_{label}"
        if label in seen:
            continue
        seen.add(label)
        optional = r.random() < 0.3
        # a parameter may have a name that says nothing, or an invented one that the request says
        parameter = Parameter(styled(r, label), kind, optional, note(r, label, kind, thing))
        if kind == "bool":
            said = [f"{{{len(parameters)}:{form.replace('NAME', label.replace('_', ' '))}}}" for form in forms.split("/")]
        else:
            said = [form.replace("{}", f"{{{len(parameters)}}}") for form in forms.split("/")]
            if r.random() < 0.3:
                spoken_label = label.replace("_", " ")
                slot = f"{{{len(parameters)}}}"
                said = [
                    f"with {spoken_label} {slot}",
                    f"with the {spoken_label} {slot}",
                    f"{spoken_label} {slot}",
                    f"and the {spoken_label} is {slot}",
                    f"({spoken_label}: {slot})",
                    f"where {spoken_label} is {slot}",
                ]
        parameters.append(parameter)
        phrases.append(said)
    if r.random() < 0.9:
        # engines write what is required first, and so do most people
        order = sorted(range(len(parameters)), key=lambda index: parameters[index].optional)
        moved = {old: new for new, old in enumerate(order)}
        parameters = [parameters[index] for index in order]
        phrases = [
            [re.sub(r"\{(\d)", lambda match: "{" + str(moved[int(match.group(1))]), form) for form in phrases[index]]
            for index in order
        ]
    name = r.choice(
        (
            f"{verb}_{thing}",
            f"{verb}_{thing}",
            f"{thing}_{verb}",
            thing,
            f"{verb}_{thing}s",
            f"{verb}_the_{thing}",
            verb + "_" + values.invented(r, False),
        )
    )
    description = r.choice(
        (
            f"{verb.capitalize()} a {spoken_thing}",
            f"{verb.capitalize()}s the {spoken_thing}",
            f"{r.choice(ways).capitalize()} a {spoken_thing}",
            f"Use this to {r.choice(ways)} a {spoken_thing}",
            f"{verb.capitalize()} {spoken_thing}s of the user",
            "",
        )
    )
    if not description and verb not in name:
        description = f"{verb.capitalize()} {spoken_thing}"
    order = list(range(len(parameters)))
    requests = []
    for _ in range(2):
        chosen = [index for index in order if not parameters[index].optional or r.random() < 0.5]
        r.shuffle(chosen)
        way = r.choice(ways)
        article = r.choice(("a", "the", "my", "the", "a new", "this", ""))
        said = " ".join(filter(None, [way, article, spoken_thing, *(r.choice(phrases[index]) for index in chosen)]))
        if chosen and r.random() < 0.2:
            head = r.choice(phrases[chosen[0]])
            said = f"{head}, {way} {article} {spoken_thing} " + " ".join(r.choice(phrases[index]) for index in chosen[1:])
        requests.append(re.sub(" +", " ", said).strip())
    return Tool(styled(r, name), description, parameters, requests)


ATTRIBUTES = data.words("attributes")


def lookup(r):
    """A tool that tells one attribute of something that is named."""
    attribute = r.choice(ATTRIBUTES) if r.random() < 0.85 else values.invented(r, False)
    subject, kind = r.choice(
        (
            ("city", "city"),
            ("country", "country"),
            ("person", "person"),
            ("company", "company"),
            ("product", "product"),
            ("book", "title"),
            ("movie", "title"),
            ("river", "invented"),
            ("team", "company"),
            ("name", "invented"),
            ("id", "identifier"),
            ("animal", "invented"),
            ("place", "city"),
            ("song", "title"),
            ("car", "product"),
            ("planet", "invented"),
            ("item", "thing"),
            ("file", "file"),
            ("word", "invented"),
            ("subject", "invented"),
            ("query", "invented"),
            ("value", "invented"),
            ("station", "city"),
            ("airport", "city"),
            ("user", "person"),
            ("symbol", "ticker"),
        )
    )
    said = attribute.replace("_", " ")
    tool_name = r.choice(
        (
            f"get_{attribute}",
            f"get_{attribute}",
            attribute,
            f"{attribute}_of",
            f"find_{attribute}",
            f"lookup_{attribute}",
            f"{subject}_{attribute}",
            f"get_{subject}_{attribute}",
            f"check_{attribute}",
        )
    )
    description = r.choice(
        (
            f"The {said} of a {subject}",
            f"Get the {said} of a {subject}",
            f"Look up the {said}",
            f"{said.capitalize()} lookup",
            f"Returns the {said} for the given {subject}",
            f"Finds out the {said}",
        )
    )
    requests = [request.replace("{said}", said) for request in data.phrases("lookups")]
    label = subject if r.random() < 0.8 else r.choice(("name", "query", "target", "what", "input", "q", "key", f"{subject}_name"))
    return Tool(
        styled(r, tool_name), description, [Parameter(styled(r, label), kind, False, note(r, label, kind, tool_name))], requests
    )


KINDS = data.words("argument kinds")
GENERAL = data.lines("general")
UNITS = data.words("units") + [""]
MODES = data.words("modes")


def nonsense(r):
    """A tool of invented words, so that only the words themselves lead from the request to the tool."""
    verb, thing = values.invented(r, False), values.invented(r, False)
    parameters, phrases = [], []
    for index in range(r.choice((1, 1, 2, 2, 3))):
        label = values.invented(r, False) if r.random() < 0.6 else r.choice(ATTRIBUTES)
        if any(parameter.name == label for parameter in parameters):
            continue
        kind = r.choice(KINDS)
        parameters.append(Parameter(label, kind, False, note(r, label, kind, thing)))
        said, slot = label.replace("_", " "), f"{{{len(parameters) - 1}}}"
        phrases.append(
            r.choice(
                (
                    f"with {said} {slot}",
                    f"with {slot} as {said}",
                    f"{said} {slot}",
                    f"and {said} {slot}",
                    f"where the {said} is {slot}",
                    f"{said}: {slot}",
                    f"with a {said} of {slot}",
                    f"using {slot} for the {said}",
                )
            )
        )
    order = list(range(len(parameters)))
    r.shuffle(order)
    request = f"{verb} {r.choice(('a', 'the', 'my'))} {thing} " + " ".join(phrases[index] for index in order)
    if len(parameters) == 1 and r.random() < 0.5:
        request = f"{verb} {thing} {{0}}" if r.random() < 0.5 else f"{verb} {{0}}"
    name = r.choice((f"{verb}_{thing}", f"{thing}_{verb}", verb))
    return Tool(
        styled(r, name),
        r.choice((f"{verb.capitalize()} a {thing}", f"{verb.capitalize()}s the {thing}", "")),
        parameters,
        [request],
    )


def described(r):
    """A tool that is found by words of its description, whatever its name is."""
    thing, deed, other = noun(r), deed_of(r), r.choice(values.THINGS)
    label, kind = r.choice(
        (
            ("name", "invented"),
            ("where", "city"),
            ("count", "small"),
            ("level", "percent"),
            ("who", "person"),
            ("id", "identifier"),
            ("when", "time"),
            ("day", "date"),
            ("item", "thing"),
            ("amount", "decimal"),
            ("place", "place"),
            ("target", "invented"),
            ("text", "text"),
            ("host", "host"),
            ("color", "color"),
        )
    )
    ways = {
        "city": "in {}/near {}/to {}/from {}",
        "small": "for {}/{} times/with {}/to {}",
        "percent": "to {}/to {} percent/at {}%/up to {}",
        "person": "for {}/with {}/of {}",
        "time": "at {}/for {}",
        "date": "on {}/for {}",
        "place": "at {}/to {}/near {}/in {}",
        "decimal": "of {}/for {}/with {}",
        "text": "with the text {}/saying {}/: {}",
        "color": "in {}/to {}",
    }
    way = r.choice(ways.get(kind, "{}/for {}/of {}/with {}/called {}/to {}").split("/")).replace("{}", "{0}")
    description = r.choice(
        (
            f"{deed.capitalize()} the {thing}",
            f"{deed.capitalize()} the {thing} of a {other}",
            f"{deed.capitalize()}s a {thing} for the user",
            f"{deed.capitalize()} {thing}s and {other}s",
            f"For everything about the {thing}",
            f"The {thing} of the {other}",
            f"{thing.capitalize()} {deed}",
            f"{deed.capitalize()} the {other} with a {thing}",
            f"Controls the {thing}",
        )
    )
    doing = deed in description.lower()
    requests = [
        f"I need the {thing} {way}",
        f"the {thing} {way} please",
        f"can I have a {thing} {way}",
        f"{thing} {way}",
        f"what about the {thing} {way}",
        f"I want my {thing} {way}",
        f"how is the {thing} {way}",
        f"is there a {thing} {way}",
        f"put the {thing} {way}",
        f"it is time for the {thing} {way}",
        f"set the {thing} {way}",
        f"do something with the {thing} {way}",
        f"I would like a {thing} {way}",
    ]
    if doing:
        requests += [
            f"{deed} the {thing} {way}",
            f"{deed} my {thing} {way}",
            f"{deed} {thing} {way}",
            f"please {deed} it {way}, the {thing}",
            f"we must {deed} the {thing} {way}",
            f"{deed} a {thing} {way}",
        ] * 2
    name = r.choice(
        (
            f"{deed}_{thing}",
            f"{thing}_{deed}",
            thing,
            deed,
            f"{thing}_{other}",
            values.invented(r, False),
            f"{thing}_tool",
            f"handle_{thing}",
        )
    )
    return Tool(styled(r, name), description, [Parameter(label, kind, False, note(r, label, kind, thing))], requests)


def general(r):
    """A tool about anything, whose parameters are told apart by their types and by the words around them."""
    thing, verb = noun(r), deed_of(r)
    shape = r.choice(GENERAL)
    parameters, requests = [], shape[1].split(" / ")
    unit = ""
    for slot in shape[0].split(", "):
        labels, kind = slot.split(":")
        label = r.choice(labels.split("/"))
        if kind == "count":
            unit = r.choice(UNITS)
            kind = r.choice(("small", "percent", "decimal", "whole"))
            label = r.choice((label, unit, f"{unit}_count", f"max_{unit}", values.invented(r, False))) if unit else label
        elif kind == "any":
            kind = r.choice(("invented", "person", "thing", "city", "place", "title", "company", "identifier", "host", "code"))
        elif kind == "choice":
            kind = "=" + ",".join(r.sample(values.THINGS if r.random() < 0.5 else MODES, k=r.choice((2, 3, 3, 4))))
        if r.random() < 0.35:
            label = r.choice((f"{label}_name", f"the_{label}", values.invented(r, False), r.choice(THINGS), f"{thing}_{label}"))
        label = label.replace(" ", "_")
        if any(label == parameter.name for parameter in parameters):
            label += "_2"
        parameters.append(Parameter(styled(r, label), kind, False, note(r, label, kind, thing)))
    said = [request.replace("VERB", verb).replace("THING", thing).replace("UNIT", unit) for request in requests]
    said = [re.sub(" +", " ", request).strip() for request in said]
    name = r.choice((f"{verb}_{thing}", f"{verb}_{thing}", f"{verb}_{thing}", f"{thing}_{verb}", f"{verb}_the_{thing}", thing))
    ways = (f"{verb.capitalize()} a {thing}", f"{verb.capitalize()}s the {thing}", f"{verb.capitalize()} the {thing} of the user", "")
    return Tool(styled(r, name), r.choice(ways) if verb in name else ways[0], parameters, said)


MAKERS = (
    (lambda r: from_row(r, r.choice(ROWS)), 0.7),
    (composed, 0.08),
    (lookup, 0.04),
    (described, 0.07),
    (nonsense, 0.02),
    (general, 0.09),
)


def maker(r):
    return r.choices([entry[0] for entry in MAKERS], [entry[1] for entry in MAKERS])[0]


def any_tool(r):
    make = maker(r)
    tool = make(r)
    tool.make = make
    return tool


# ---- how people say it ----

OPENERS = [opener + " " for opener in data.phrases("openers")]
CLOSERS = [
    " please",
    ", please",
    " for me",
    " now",
    ", thanks",
    " right away",
    ". Thanks!",
    " if you can",
    ", ok?",
    " when you can",
    " for me please",
    " today?",
]
# What isn't a command: "could you" doesn't go before it.
COMMANDS = re.compile(
    r"(what|how|why|is |are |am |do |does |did |when|where|which|who|will |has |have |can |could |would |should |shall |may |any "
    r"|every |each |both |no |not |there|this |that |these |I |I'|it's|it |you|they |he |she |we |we'|my |our |your |his |her |its "
    r"|for |at |in |on |to |from |with |by |of |if |as |after |before |until |the |a |an |please |\{|\d)",
    re.I,
)


def dressed(r, said):
    """A request with its politeness, its capital and its full stop, or without."""
    question = re.match(r"(what|how|why|is |are |am |do |does |did |when|where|which|who|will |has |can |could |shall |should |any )", said, re.I)
    if not COMMANDS.match(said) and said[0].islower() and r.random() < 0.45:
        opener = r.choice(OPENERS)
        said = opener + said
        question = question or re.match(r"(can|could|would|will) ", opener, re.I)
    elif r.random() < 0.08:
        said = r.choice(("Hey, ", "Hi, ", "Ok, ", "Hello! ", "Please: ", "Quick question: ", "Hi there. ", "Thanks. ")) + said
    if r.random() < 0.1 and not question:
        said += r.choice(CLOSERS)
    if r.random() < 0.8:
        said = said[0].upper() + said[1:]
    if said[-1] not in ".?!" and r.random() < 0.7:
        said += "?" if question else r.choice("..!") if r.random() < 0.9 else ""
    return said


SYSTEMS = data.phrases("systems")


def system(r):
    return r.choice(SYSTEMS).format(date=values.date(r), name=values.first(r), company=values.company(r))


def offered(r, wanted, count=None):
    return offers(r, gathered(r, wanted, count))


def offers(r, tools):
    bare = r.random() < 0.12
    return [tool.offer(r, bare) for tool in tools]


def gathered(r, wanted, count=None):
    """The wanted tools among others, in any order; no two of the same name."""
    tools = {tool.name: tool for tool in wanted}
    count = count or r.choice((1, 1, 2, 2, 3, 3, 4, 4, 5))
    while len(tools) < count:
        # often of the same kind as the wanted one, so that what leads to it are its words and not its looks
        other = wanted[0].make(r) if wanted and r.random() < 0.6 else any_tool(r)
        if tools and r.random() < 0.25 and "_" in next(iter(tools)):
            # a neighbour: shares a word with the wanted one, so that every word of a name counts
            verb, _, thing = next(iter(tools)).partition("_")
            if thing and thing in THINGS:
                other = composed(r)
                theirs = other.name.split("_")
                other.name = f"{verb}_{theirs[-1]}" if r.random() < 0.5 else f"{theirs[0]}_{thing}"
                other.description = other.name.replace("_", " ").capitalize() if r.random() < 0.7 else ""
        if not any(other.description and other.description == tool.description for tool in tools.values()):
            tools.setdefault(other.name, other)
    order = list(tools.values())
    r.shuffle(order)
    return order


def one_call(r):
    tool = any_tool(r)
    said, arguments = tool.ask(r)
    return said, [{"name": tool.name, "arguments": arguments}], [tool]


def two_calls(r):
    """The same tool twice in one sentence, or two tools."""
    for _ in range(20):
        tool, other = any_tool(r), any_tool(r)
        if other.name != tool.name and (found := twice(r, tool, other)):
            said, calls = found
            return said, calls, [tool] if all(call["name"] == tool.name for call in calls) else [tool, other]
    return one_call(r)


def twice(r, tool, other):
    """A request for two or three calls of one tool, or for one of each; nothing if it can't be asked so."""
    single = [said for said in tool.requests if re.findall(r"\{(\d)[:}]", said) == ["0"] and "{0}" in said]
    if not single or r.random() < 0.25:
        if other.name == tool.name:
            return None
        (one, first), (two, second) = tool.ask(r), other.ask(r)
        said = one + r.choice((" and ", " and then ", ", then ", ". Also ", " and also ", ". Then ", ", and ")) + two
        return said, [{"name": tool.name, "arguments": first}, {"name": other.name, "arguments": second}]
    parameter = tool.parameters[0]
    if parameter.kind in ("text", "sentence", "topic", "sum"):
        return None
    count = 3 if r.random() < 0.12 else 2
    drawn = [parameter.draw(r) for _ in range(count)]
    if len(set(map(str, drawn))) < count:
        return None
    parts = [str(value) for value in drawn]
    head, tail = r.choice(single).split("{0}")
    preposition = re.search(r"(in|for|to|of|at|on|from|with|the) $", head)
    again = preposition.group(0) if preposition and r.random() < 0.4 else ""
    joined = (
        again.join((", ".join(parts[:-1]) + " and ", parts[-1])) if count == 2 else f"{parts[0]}, {parts[1]} and {parts[2]}"
    )
    if count == 2 and r.random() < 0.12:
        joined = f"both {parts[0]} and {parts[1]}"
    return head + joined + tail, [{"name": tool.name, "arguments": {parameter.name: value}} for value in drawn]


def sample(r):
    """A list of tools, and up to six requests, each on its own."""
    tools = gathered(r, [any_tool(r)])
    messages = [{"role": "system", "content": system(r)}] if r.random() < 0.25 else []
    common = render([*messages, {"role": "user", "content": ""}], offers(r, tools))[0]
    pieces = [common]
    asked = set()
    for _ in range(min(6, r.choice((2, 2, 3, 4)) + len(tools) // 2)):
        turns = request(r, tools)
        if turns[0]["content"] not in asked:
            asked.add(turns[0]["content"])
            pieces += [BRANCH, *render(turns)]
    return pieces


def request(r, tools):
    """Messages: a request to one or two of the tools, and the calls; or words that ask for none."""
    from . import smalltalk

    if r.random() < 0.07:
        return smalltalk.idle(r)
    tool = r.choice(tools)
    found = twice(r, tool, r.choice(tools)) if r.random() < 0.14 else None
    if found:
        said, calls = found
    else:
        said, arguments = tool.ask(r)
        calls = [{"name": tool.name, "arguments": arguments}]
    answer = {"role": "assistant", "calls": calls}
    if len(calls) == 1 and r.random() < 0.06:
        answer = {"role": "assistant", "pieces": forced(calls[0], tool)}
    return [{"role": "user", "content": dressed(r, said)}, answer]


def forced(call, tool):
    """A call with every parameter, as an engine forces it that knows none that is optional: what wasn't said is empty."""
    empty = {"string": "", "integer": 0, "number": 0, "boolean": False}
    pieces = [(f'<tool_call>\n{{"name": "{call["name"]}", "arguments": {{', 1.0)]
    for index, parameter in enumerate(tool.parameters):
        said = parameter.name in call["arguments"]
        value = (
            call["arguments"][parameter.name] if said else parameter.choices[0] if parameter.choices else empty[parameter.type]
        )
        weight = 1.0 if said else 0.0
        pieces.append((f'{", " if index else ""}"{parameter.name}": ', weight))
        pieces.append((dumps(value), 1.0 if said else 0.3))
    return [*pieces, ("}}\n</tool_call>", 1.0)]
