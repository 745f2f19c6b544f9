"""Asks a model the prompts in this folder, and prints how much of them it gets right.

    python3 run.py http://127.0.0.1:8080/v1 [--temperature 0] [--kind tool] [--show] [--turns 30] [--model pocket] [--key KEY]
    python3 run.py --leaks CORPUS.txt        # no prompt, tool name or value of the prompts stands in the training corpus

Any server that speaks OpenAI's Chat Completions will do. Right means: the calls are exactly those that are expected, no more and
no fewer, with exactly those arguments; the object is exactly the expected one; the text contains what is expected, to the letter.
"""

import argparse
import json
import re
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
KINDS = ["tool", "copy", "schema", "result", "chat"]


def prompts(kind, folder=HERE):
    path = folder / f"{kind}.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


# Turns that `--turns` puts before the last question, to see what distance does.
BETWEEN = [
    ("Tell me a joke.", "Why did the token cross the stream? To get to the other side."),
    (
        "What is a manifest?",
        "A manifest is a YAML file that says where a provider's requests go, how they are written, how replies are read.",
    ),
    ("How are you?", "I am fine, thank you. How are you?"),
    (
        "How does streaming work?",
        "Use mw.stream and loop over its events: each text event has a delta. Leaving the loop closes the connection.",
    ),
    ("Thanks", "You're welcome!"),
]


def stretched(messages, turns):
    last = max(index for index, message in enumerate(messages) if message["role"] == "user")
    pairs = [BETWEEN[index % len(BETWEEN)] for index in range(turns)]
    between = [{"role": role, "content": text} for pair in pairs for role, text in zip(("user", "assistant"), pair)]
    return [*messages[:last], *between, *messages[last:]]


def ask(prompt, options):
    messages = stretched(prompt["messages"], options.turns)
    body = {"model": options.model, "messages": messages, "temperature": options.temperature, "max_tokens": 300}
    if options.seed is not None:
        body["seed"] = options.seed
    if "tools" in prompt:
        body["tools"] = [{"type": "function", "function": tool} for tool in prompt["tools"]]
    if "output" in prompt:
        body["response_format"] = {
            "type": "json_schema",
            "json_schema": {"name": "output", "strict": True, "schema": prompt["output"]},
        }
    headers = {"content-type": "application/json", **({"authorization": f"Bearer {options.key}"} if options.key else {})}
    request = urllib.request.Request(f"{options.base}/chat/completions", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)


def right(prompt, text, calls):
    """Whether an answer is what the prompt expects."""
    expect = prompt["expect"]
    if "calls" in expect:
        found = sorted(json.dumps([call["name"], normal(call["arguments"])], sort_keys=True) for call in calls)
        wanted = sorted(json.dumps([call["name"], normal(call["arguments"])], sort_keys=True) for call in expect["calls"])
        return found == wanted and (bool(calls) or bool(text.strip()))
    if calls:
        return False
    if "object" in expect:
        try:
            return json.dumps(normal(json.loads(text)), sort_keys=True) == json.dumps(normal(expect["object"]), sort_keys=True)
        except ValueError:
            return False
    if "any" in expect:
        return any(part in text for part in expect["any"])
    return all(part in text for part in expect["contains"])


def normal(value):
    """Numbers as numbers: 7 and 7.0 are the same."""
    if isinstance(value, dict):
        return {key: normal(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [normal(inner) for inner in value]
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


def measure(options):
    print(f"{'kind':8} {'right':>9} {'rate':>7} {'stopped':>8}   prompt tokens, time")
    for kind in [options.kind] if options.kind else KINDS:
        rows, good, stopped, tokens, started = prompts(kind, options.folder), 0, 0, 0, time.time()
        if not rows:
            continue
        for prompt in rows:
            reply = ask(prompt, options)
            tokens += reply["usage"]["prompt_tokens"]
            choice = reply["choices"][0]
            message = choice["message"]
            text = message.get("content") or ""
            calls = []
            for call in message.get("tool_calls") or []:
                try:
                    calls.append({"name": call["function"]["name"], "arguments": json.loads(call["function"]["arguments"])})
                except ValueError:
                    calls.append({"name": call["function"]["name"], "arguments": None})
            fits = right(prompt, text, calls)
            good += fits
            stopped += choice["finish_reason"] != "length"
            if options.show and not fits:
                print(
                    f"  {prompt['messages'][-1]['content']!r}\n    wanted {prompt['expect']}\n    got    {text!r} {calls or ''}"
                )
        seconds, of = time.time() - started, len(rows)
        print(
            f"{kind:8} {good:4}/{of:4} {100 * good / of:6.1f}% {100 * stopped / of:7.1f}%   {tokens / of:6.0f}   {seconds:.0f} s",
            flush=True,
        )


def distinctive(value):
    """Strings that are not met by chance: a long number or code, or a name. Dates and days of the week are everybody's."""
    if not isinstance(value, str) or re.search(r"day$|^\d{4}-\d\d-\d\d$|^\d+ [A-Z][a-z]+$|^[A-Z][a-z]+ \d+$", value):
        return False
    return len(re.sub(r"\D", "", value)) >= 6 or (len(value) >= 8 and value != value.lower())


def leaks(path):
    """What of the prompts stands in the corpus: whole first messages, names of tools, distinctive values."""
    corpus = Path(path).read_text(encoding="utf-8")
    said = set(re.findall(r"<\|user\|>(.*?)<\|end\|>", corpus, re.DOTALL))
    names = {
        line.split(":")[0]
        for part in re.findall(r"Tools:\n(.*?)<\|end\|>", corpus, re.DOTALL)
        for line in part.split("\n")
        if line[:2] != "- "
    }
    found = []
    for kind in KINDS:
        for prompt in prompts(kind):
            first = next(message["content"] for message in prompt["messages"] if message["role"] == "user")
            # what everybody says ("Hello!") can't be held out; what is longer must be
            found += [first] if len(first.split()) > 3 and first in said else []
            found += [tool["name"] for tool in prompt.get("tools", []) if kind == "tool" and tool["name"] in names]
            expect = prompt["expect"]
            values = [value for call in expect.get("calls", []) for value in call["arguments"].values()]
            values += list(expect.get("object", {}).values()) + (expect.get("contains", []) if kind == "copy" else [])
            found += [value for value in values if distinctive(value) and value in corpus]
    print(
        f"{len(said)} messages and {len(names)} tool names in the corpus; {len(found)} texts, names and values of the prompts too"
    )
    if found:
        raise SystemExit(", ".join(sorted(set(found))))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("base", nargs="?", default="http://127.0.0.1:8080/v1")
    parser.add_argument("--temperature", type=float, default=0)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("--turns", type=int, default=0, help="how many turns of small talk to put before the last question")
    parser.add_argument("--folder", type=Path, default=HERE, help="where the prompts are")
    parser.add_argument("--show", action="store_true", help="print what went wrong")
    parser.add_argument("--model", default="pocket")
    parser.add_argument("--key")
    parser.add_argument("--leaks", metavar="CORPUS.txt")
    options = parser.parse_args()
    leaks(options.leaks) if options.leaks else measure(options)
