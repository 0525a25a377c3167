"""Just enough of Swift's grammar to find places to change: tokens, with their blocks."""

import re
from dataclasses import dataclass

PATTERN = re.compile(
    r"(?P<space>[ \t]+)|(?P<newline>\n)|(?P<comment>//[^\n]*|/\*.*?\*/)"
    r"|(?P<number>0x[0-9A-Fa-f_]+|[0-9][0-9_.]*e[0-9]+|[0-9][0-9_]*)|(?P<word>[#@$]?[A-Za-z_][A-Za-z0-9_]*|\$[0-9])"
    r"|(?P<operator>[-+*/%&|^~<>=!?.]+)|(?P<mark>[()\[\]{},:;\\`])",
    re.S,
)
CLOSING = {"(": ")", "[": "]", "{": "}"}


@dataclass
class Token:
    kind: str
    text: str
    start: int
    line: int
    column: int

    @property
    def end(self):
        return self.start + len(self.text)


def string_end(text, start):
    """Behind a string literal, interpolations and the strings in them included."""
    i = start + 1
    while text[i] != '"':
        if text[i] != "\\":
            i += 1
        elif text[i + 1] != "(":
            i += 2
        else:
            depth, i = 1, i + 2
            while depth:
                if text[i] == '"':
                    i = string_end(text, i)
                    continue
                depth += {"(": 1, ")": -1}.get(text[i], 0)
                i += 1
    return i + 1


def tokens(text):
    """All tokens but spaces and comments; newlines are tokens."""
    result, i, line, line_start = [], 0, 1, 0
    while i < len(text):
        if text[i] == '"':
            kind, end = "string", string_end(text, i)
        else:
            match = PATTERN.match(text, i)
            if not match:
                raise SystemExit(f"line {line}: {text[i]!r} is not understood")
            kind, end = match.lastgroup, match.end()
        if kind not in ("space", "comment"):
            result.append(Token(kind, text[i:end], i, line, i - line_start + 1))
        line += text.count("\n", i, end)
        if "\n" in text[i:end]:
            line_start = text.rindex("\n", i, end) + 1
        i = end
    return result


def pairs(found):
    """Index of each opening bracket → that of its closing one."""
    result, stack = {}, []
    for i, token in enumerate(found):
        if token.text in CLOSING:
            stack.append(i)
        elif token.text in CLOSING.values():
            result[stack.pop()] = i
    return result
