"""How a conversation looks to the model. `render` writes exactly what template.jinja writes; test_tokens.py holds them together.

A sample is a list of pieces `(text, weight)`. The weight says how much the loss of the tokens that start in a piece counts.
"""

import json

# In a sample, what stands before the first of these is common to all that follow: each branch goes on from there, and none
# sees another. So one list of tools serves several requests.
BRANCH = ("", 0.0)

QUIET = 0.03  # what others say: a little, so that the model knows how such text goes on


def dumps(value, compact=False):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":") if compact else (", ", ": "))


def tool_lines(tools):
    lines = ["Tools:"]
    for tool in tools:
        lines.append(tool["name"] + (f": {tool['description']}" if tool.get("description") else ""))
        parameters = tool.get("parameters") or {}
        required = parameters.get("required") or []
        for name, parameter in (parameters.get("properties") or {}).items():
            kind = (
                " | ".join(str(value) for value in parameter["enum"]) if parameter.get("enum") else parameter.get("type", "any")
            )
            optional = "" if name in required else "?"
            note = f", {parameter['description']}" if parameter.get("description") else ""
            lines.append(f"- {name}{optional}: {kind}{note}")
    return "\n".join(lines)


def call_text(calls):
    return "\n".join(
        f'<tool_call>\n{{"name": "{call["name"]}", "arguments": {dumps(call["arguments"])}}}\n</tool_call>' for call in calls
    )


def render(messages, tools=None):
    """Messages are dicts with a role; an assistant has `content`, `calls` or `pieces` (its text with weights of its own)."""
    pieces = []
    for index, message in enumerate(messages):
        role, content = message["role"], message.get("content") or ""
        if index == 0 and tools:
            system = content + "\n" if role == "system" and content else ""
            pieces.append((f"<|system|>{system}{tool_lines(tools)}<|end|>", QUIET))
            if role == "system":
                continue
        if role != "assistant":
            pieces.append((f"<|{role}|>{content}<|end|>", QUIET))
            continue
        weight = message.get("weight", 1.0)
        pieces.append(("<|assistant|>", 0.0))
        if "pieces" in message:
            pieces.extend(message["pieces"])
        else:
            calls = call_text(message.get("calls") or [])
            pieces.append((content + ("\n" if content and calls else "") + calls, weight))
        pieces.append(("<|end|>", weight))
    return pieces
