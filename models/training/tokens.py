"""The tokens of Pocket: learning a vocabulary, and cutting text into it exactly as llama.cpp does.

The kind is SentencePiece ("llama"). Four rules make copying and comparing easy to learn:

- A space is a token of its own and never joins a word. So a word has the same pieces after a space, a quote or a bracket.
- Letters join letters only, and a capital only starts a token. So `userName` is `user` + `Name`, wherever it stands.
- Letters join in pairs from the left before anything else, and what joins in small letters joins after a capital, too. So
  `zorbik`, `Zorbik` and `zorbiks` have the same seams: `zo` `rb` `ik`, `Zo` `rb` `ik`, `zo` `rb` `ik` `s`. A word that nobody
  has seen is made of pairs, and each of these is seen often.
- Digits join in pairs from the left: `48213` is `48` `21` `3`.

JSON's joints (`", "` and the like) are whole tokens of the type USER_DEFINED. llama.cpp cuts those out of the text first, longest
first, so they can't change how a neighbouring word is cut.
"""

import heapq
import json
import re
from collections import Counter

UNKNOWN, CONTROL, NORMAL, USER_DEFINED, BYTE = 2, 3, 1, 4, 6  # llama.cpp's token types

SPECIAL = ["<unk>", "<s>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>", "<|tool|>"]
JOINTS = ["<tool_call>", "</tool_call>", '{"name": "', '", "arguments": ', '", "', '": ', ', "', '{"', '"}']
JOINTS += [": string", ": integer", ": number", ": boolean", "\n- "]
BOS, END = 1, 2

_PRINTABLE = [chr(code) for code in range(0x21, 0x7F)]
_BEYOND_ASCII = list("áéíóúñüöäßçèêàâîôûëïãõåøæœÁÉÖÜÄÅØ°€£–—’‘“”…·×")
_DIGITS = [f"{value:02d}" for value in range(100)]
_SMALL = "abcdefghijklmnopqrstuvwxyz"
_LETTERS = [first + second for first in _SMALL + _SMALL.upper() for second in _SMALL]
_CONTROL = re.compile("|".join(re.escape(token) for token in SPECIAL[1:]))
_WHOLE = re.compile("|".join(re.escape(token) for token in sorted(SPECIAL[1:] + JOINTS, key=len, reverse=True)))
_RUN = re.compile(r"[A-Za-z]+|[0-9]+|[^A-Za-z0-9]")


def learn(texts, size):
    """Learns a vocabulary's longer letter tokens by joining the most frequent neighbours among pairs again and again.

    Capitals are counted with the small letters. A token that begins words with a capital often enough is there twice.
    """
    words, capitals = Counter(), Counter()
    for text in texts:
        for word in re.findall(r"[A-Z]?[a-z]+", _WHOLE.sub(" ", text)):
            words[word.lower()] += 1
            if word[0].isupper():
                capitals[word.lower()] += 1
    parts = {word: re.findall(r"..?", word) for word in words}
    fixed = len(Vocabulary([]))
    merges, done = [], set()
    pairs, where = Counter(), {}
    for word, letters in parts.items():
        for pair in zip(letters, letters[1:]):
            pairs[pair] += words[word]
            where.setdefault(pair, set()).add(word)
    while fixed + len(merges) < size:
        (left, right), count = max(pairs.items(), key=lambda item: (item[1], item[0]))
        joined = left + right
        touched = where.pop((left, right))
        del pairs[left, right]
        begun = sum(capitals[word] for word in touched if parts[word][:2] == [left, right])
        for word in sorted(touched):
            letters = parts[word]
            for pair in zip(letters, letters[1:]):
                if pair != (left, right):
                    pairs[pair] -= words[word]
            new, at = [], 0
            while at < len(letters):
                both = at + 1 < len(letters) and letters[at] == left and letters[at + 1] == right
                new.append(joined if both else letters[at])
                at += 2 if both else 1
            parts[word] = new
            for pair in zip(new, new[1:]):
                pairs[pair] += words[word]
                where.setdefault(pair, set()).add(word)
        pairs.pop((left, right), None)
        if joined not in done:
            done.add(joined)
            merges.append(joined)
            if begun > count / 20:
                merges.append(joined.capitalize())
    return merges[: size - fixed]


class Vocabulary:
    """All tokens with their types and scores, and the encoder. A higher score is joined earlier."""

    def __init__(self, merges):
        self.merges = merges
        rows = [(text, CONTROL if index else UNKNOWN, 0.0) for index, text in enumerate(SPECIAL)]
        rows += [(text, USER_DEFINED, 0.0) for text in JOINTS]
        rows += [(f"<0x{value:02X}>", BYTE, 0.0) for value in range(256)]
        self.first_byte = len(SPECIAL) + len(JOINTS)
        rows += [(text, NORMAL, -1e6) for text in ["▁", *_PRINTABLE, *_BEYOND_ASCII]]
        rows += [(text, NORMAL, -1.0) for text in [*_DIGITS, *_LETTERS]]
        rows += [(text, NORMAL, -2.0 - rank) for rank, text in enumerate(merges)]
        self.texts = [row[0] for row in rows]
        self.types = [row[1] for row in rows]
        self.scores = [row[2] for row in rows]
        self.ids = {text: index for index, text in enumerate(self.texts)}
        self._cache = {}

    def __len__(self):
        return len(self.texts)

    def save(self, path):
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self.merges, file)

    @classmethod
    def load(cls, path):
        with open(path, encoding="utf-8") as file:
            return cls(json.load(file))

    def encode(self, text, control=True):
        """Token ids of a text. With `control`, `<|user|>` and its like are tokens; without, they are plain text."""
        ids = []
        pieces = _split(_CONTROL, text) if control else [(text, False)]
        for piece, special in pieces:
            if special:
                ids.append(self.ids[piece])
                continue
            for plain, joint in _joints(piece):
                if joint:
                    ids.append(self.ids[plain])
                else:
                    for run in _RUN.findall(plain):
                        ids.extend(self._run(run))
        return ids

    def decode(self, ids):
        out = bytearray()
        for index in ids:
            if self.types[index] == BYTE:
                out.append(index - self.first_byte)
            else:
                out += self.texts[index].replace("▁", " ").encode()
        return out.decode("utf-8", "replace")

    def _run(self, run):
        found = self._cache.get(run)
        if found is None:
            found = self._cache[run] = self._join(run)
        return found

    def _join(self, run):
        """llama.cpp's way: of all neighbours that are a token together, join those with the highest score, leftmost first."""
        if run == " ":
            return [self.ids["▁"]]
        symbols = list(run)
        after = list(range(1, len(symbols))) + [-1]
        before = list(range(-1, len(symbols) - 1))
        queue = []

        def offer(left):
            right = after[left] if left >= 0 else -1
            if right >= 0 and symbols[left] + symbols[right] in self.ids:
                joined = symbols[left] + symbols[right]
                heapq.heappush(queue, (-self.scores[self.ids[joined]], left, right, joined))

        for left in range(len(symbols) - 1):
            offer(left)
        while queue:
            _, left, right, joined = heapq.heappop(queue)
            if not symbols[left] or not symbols[right] or symbols[left] + symbols[right] != joined:
                continue  # one of the two was joined otherwise meanwhile
            symbols[left], symbols[right] = joined, ""
            after[left] = after[right]
            if after[right] >= 0:
                before[after[right]] = left
            offer(before[left])
            offer(left)
        ids = []
        for symbol in symbols:
            if symbol in self.ids:
                ids.append(self.ids[symbol])
            elif symbol:
                ids.extend(self.first_byte + value for value in symbol.encode())
        return ids


def _joints(text):
    """Cuts out the joints: the longest first in the whole text, then the next; of equally long ones the last, as llama.cpp sorts them."""
    parts = [(text, False)]
    for joint in sorted(reversed(JOINTS), key=len, reverse=True):
        if joint in text:
            pattern = re.compile(re.escape(joint))
            parts = [cut for part, done in parts for cut in ([(part, True)] if done else _split(pattern, part))]
    return parts


def _split(pattern, text):
    """Cuts a text into (piece, is a match)."""
    at = 0
    for match in pattern.finditer(text):
        if match.start() > at:
            yield text[at : match.start()], False
        yield match.group(), True
        at = match.end()
    if at < len(text):
        yield text[at:], False
