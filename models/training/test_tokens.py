"""Holds the encoder and the template against a llama-server that runs the model:
`python3 test_tokens.py http://127.0.0.1:8080`.
"""

import json
import random
import sys
import urllib.request
from pathlib import Path

import tokens
from corpus import calling, copying, filling, results, smalltalk
from corpus.chat import render


def post(base, path, body):
    request = urllib.request.Request(base + path, json.dumps(body).encode(), {"content-type": "application/json"})
    with urllib.request.urlopen(request) as reply:
        return json.load(reply)


def odd(r):
    """Text of any kind: letters, signs, spaces in rows, other alphabets, the model's own signs."""
    alphabet = [
        *"abcdefgzABCXYZ0123456789 ,.:;\"'{}[]<>|/\\_-+*\n\t",
        "é",
        "ß",
        "°",
        "日",
        "😀",
        "Ω",
        '{"',
        '": ',
        '", "',
        "tool",
        "<tool_call>",
        "</tool_call>",
        "the ",
        "  ",
    ]
    return "".join(r.choice(alphabet) for _ in range(r.randint(1, 60)))


def main(base):
    vocabulary = tokens.Vocabulary.load(Path(__file__).parent / "vocabulary.json")
    r = random.Random(5)
    for index in range(3000):
        make = r.choice((calling.sample, copying.sample, filling.sample, results.sample, smalltalk.sample))
        text = "".join(piece for piece, _ in make(r)) if index % 2 else odd(r)
        theirs = post(base, "/tokenize", {"content": text, "add_special": True, "parse_special": True})["tokens"]
        assert theirs == vocabulary.encode(text), (text, theirs, vocabulary.encode(text))
    print("3000 texts: the same tokens")
    for _ in range(300):
        messages, tools = results.conversation(r)
        offered = calling.offered(r, tools) if r.random() < 0.8 else []
        sent = []
        for message in messages:
            calls = message.get("calls")
            sent.append({"role": message["role"], "content": message.get("content", "")})
            if calls:
                sent[-1] = {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {
                            "id": f"c{number}",
                            "type": "function",
                            "function": {"name": call["name"], "arguments": json.dumps(call["arguments"])},
                        }
                        for number, call in enumerate(calls)
                    ],
                }
            if message["role"] == "tool":
                sent[-1]["tool_call_id"] = "c0"
        body = {"messages": sent, "tools": [{"type": "function", "function": tool} for tool in offered]}
        ours = "".join(text for text, _ in render(messages, offered)) + "<|assistant|>"
        # an assistant's last message would be continued; a user's word after it keeps the comparison simple
        body["messages"].append({"role": "user", "content": "Thanks"})
        ours = ours.removesuffix("<|assistant|>") + "<|user|>Thanks<|end|><|assistant|>"
        theirs = post(base, "/apply-template", body)["prompt"]
        assert ours == theirs, (ours, theirs)
    print("300 conversations: the same prompt")


if __name__ == "__main__":
    main(sys.argv[1])
