"""Deliberate faults in the model: where they can be made, and a source with all of them in
it, of which an environment variable or `selectFault` makes one at a time happen.

A fault never changes a type, so the source with all faults compiles in one go:

- a literal or name `a` becomes `fault(17, a, b)`,
- an operator becomes one of its own, `⊕⊖…`, with the same precedence, which does either,
- a condition `c` becomes `(c) != faulty(17)` (turned round) or `(c) || faulty(17)` (left out),
- a statement becomes `if !faulty(17) { statement }`.
"""

import re
from dataclasses import asdict, dataclass

from swift_tokens import pairs, tokens

SYMBOLS = "⊕⊖⊗⊘"
# operator → what it becomes, its precedence, the shape of its operands
OPERATORS = {
    "+": ("-", "Addition", "integer"), "-": ("+", "Addition", "integer"),
    "&+": ("&-", "Addition", "integer"), "&-": ("&+", "Addition", "integer"),
    "|": ("&", "Addition", "integer"), "^": ("|", "Addition", "integer"),
    "*": ("+", "Multiplication", "integer"), "&*": ("&+", "Multiplication", "integer"),
    "&": ("|", "Multiplication", "integer"),
    "<<": (">>", "BitwiseShift", "shift"), ">>": ("<<", "BitwiseShift", "shift"),
    "&<<": ("&>>", "BitwiseShift", "shift"), "&>>": ("&<<", "BitwiseShift", "shift"),
    "<": ("<=", "Comparison", "order"), "<=": ("<", "Comparison", "order"),
    ">": (">=", "Comparison", "order"), ">=": (">", "Comparison", "order"),
    "==": ("!=", "Comparison", "equality"), "!=": ("==", "Comparison", "equality"),
    "&&": ("||", "LogicalConjunction", "logic"), "||": ("&&", "LogicalDisjunction", "logic"),
}
SHAPES = {
    "integer": "<T: FixedWidthInteger>(a: T, b: T) -> T",
    "shift": "<T: FixedWidthInteger, U: BinaryInteger>(a: T, b: U) -> T",
    "order": "<T: Comparable>(a: T, b: T) -> Bool",
    "equality": "<T: Equatable>(a: T, b: T) -> Bool",
    "logic": "(a: Bool, b: @autoclosure () -> Bool) -> Bool",
}
# Members that another of the same type can stand for.
MEMBERS = {
    "tcpReset": "tcpClosing", "tcpClosing": "tcpReset", "tcpHalfOpen": "tcpEstablished",
    "tcpStale": "tcpEstablished",
    "tcpEstablished": "tcpHalfOpen", "udpUnreplied": "udpStream", "udpStream": "udpUnreplied",
    "keep": "none", "set": "keep", "dnat": "snat", "snat": "dnat", "live": "half", "half": "live",
    "hop": "vip", "drain": "hop", "host": "hop", "vip": "host", "first": "later",
    "later": "first", "syn": "fin", "fin": "rst", "rst": "fin", "other": "syn",
    "ttlExpired": "multicast", "multicast": "ttlExpired", "noEndpoint": "noFlow",
    "noFlow": "noService", "endpointGone": "noFlow", "flowTableFull": "natCollision",
    "natCollision": "flowTableFull", "fragment": "noService", "noService": "fragment",
    "badIPHeader": "badLength", "truncated": "badLength", "badLength": "truncated",
    "oversized": "truncated",
}
KINDS = {"tcp": "tcpHalfOpen", "tcpHalfOpen": "tcp", "udp": "tcp"}
FIELDS = {
    "src": "dst", "dst": "src", "srcPort": "dstPort", "dstPort": "srcPort", "srcMAC": "dstMAC",
    "dstMAC": "srcMAC", "low": "high", "high": "low", "tcp": "udp", "udp": "tcp",
    "newIP": "dst", "newPort": "dstPort", "hits": "misses", "misses": "hits", "pair": "touch",
    "touch": "pair", "learned": "learnFailures", "learnFailures": "learned",
}
LOCALS = {"src": "dst", "dst": "src", "srcPort": "dstPort", "dstPort": "srcPort", "low": "high",
          "high": "low"}
POINTERS = {"bucket", "frame", "memory", "prepared"}
KEYWORDS = {
    "let", "var", "func", "if", "guard", "while", "for", "switch", "case", "default", "return",
    "init", "deinit", "struct", "enum", "class", "extension", "import", "private", "public",
    "static", "mutating", "fileprivate", "else", "throw", "try", "break", "continue", "defer",
    "precondition", "preconditionFailure", "fatalError", "do", "catch", "subscript", "repeat",
}
ASSIGNMENTS = {"=", "+=", "-=", "*=", "&+=", "&-=", "&*=", "^=", "|=", "&=", ">>=", "<<="}


@dataclass
class Fault:
    number: int
    file: str
    line: int
    column: int
    kind: str
    source: str
    before: str
    after: str

    @property
    def name(self):
        """Stays when lines move."""
        return f"{self.file} | {self.source} | {self.before} → {self.after}"

    def record(self):
        return asdict(self) | {"name": self.name}


class Rewriter:
    """Finds the places of one file and makes the source with all faults."""

    def __init__(self, file, text, first):
        self.file = file
        self.text = text
        self.lines = text.split("\n")
        self.all = tokens(text)
        self.close = pairs(self.all)
        self.number = first
        self.faults = []
        self.operators = []
        self.edits = []  # (start, end, before, after); before is None where text is replaced
        self.seen = {}

    def rewritten(self):
        self.skip = self.skipped()
        self.blocks = self.block_headers()
        self.conditions()
        self.statements()
        for i, token in enumerate(self.all):
            if i not in self.skip:
                self.token(i, token)
        return self.apply()

    # Where no fault is made.

    def skipped(self):
        """Indices of tokens that have no part in what a packet becomes."""
        skip, i = set(), 0
        while i < len(self.all):
            token = self.all[i]
            end = None
            if token.text in ("#if", "#elseif", "#else", "#endif", "import", "precondition",
                              "preconditionFailure", "fatalError"):
                end = self.line_end(i)
            elif token.text == "if" and self.word(i + 1) == "T" and self.word(i + 3) == "isEnabled":
                end = self.close[self.find(i, "{")]  # only for traces
            elif token.text == "case" and self.is_enum_case(i):
                end = self.line_end(i)
            elif token.text == "func" and self.word(i + 1) == "touch":
                end = self.close[self.find(i, "{")]  # fetches ahead, changes nothing
            elif token.text.startswith("@") and self.word(i + 1) == "(":
                end = self.close[i + 1]
            if end is None:
                i += 1
            else:
                skip.update(range(i, end + 1))
                i = end + 1
        return skip

    def is_enum_case(self, i):
        line = self.lines[self.all[i].line - 1].strip()
        return not re.search(r":|\{", line.split("//")[0]) and line.startswith("case")

    def word(self, i):
        return self.all[i].text if i < len(self.all) else ""

    def line_end(self, i):
        while i < len(self.all) and self.all[i].kind != "newline":
            i = self.close.get(i, i) + 1
        return i

    def find(self, i, text):
        while self.all[i].text != text:
            i = self.close.get(i, i) + 1 if self.all[i].text in "([" else i + 1
        return i

    def block_headers(self):
        """Each token's innermost block: index of its `{`."""
        result, stack = {}, []
        for i, token in enumerate(self.all):
            result[i] = stack[-1] if stack else None
            if token.text == "{":
                stack.append(i)
            elif token.text == "}":
                stack.pop()
                result[i] = stack[-1] if stack else None
        return result

    def header(self, brace):
        """The words before a `{`, from the start of its statement."""
        i = brace
        opening = {end: start for start, end in self.close.items()}
        while i > 0:
            previous = self.all[i - 1]
            if previous.text in ("{", "}") or previous.kind == "newline" and not self.continues(i):
                break
            i = opening[i - 1] if previous.text in (")", "]") else i - 1
        return [t.text for t in self.all[i:brace] if t.kind != "newline"]

    def continues(self, i):
        """Whether the line that begins with token i belongs to the one above."""
        following = self.all[i].text
        previous = self.all[i - 2].text if i > 1 else ""
        return following in ("else", "->", "{", "throws") or following.startswith(".") \
            or previous in (",", "(", "=", "else") or self.all[i].kind == "operator"

    # Faults.

    def fault(self, token, kind, before, after):
        source = self.lines[token.line - 1].strip()
        key = (source, before, after)
        self.seen[key] = self.seen.get(key, 0) + 1
        if self.seen[key] > 1:
            after += f" ({self.seen[key]})"
        self.faults.append(Fault(self.number, self.file, token.line, token.column, kind,
                                 source, before, after))
        self.number += 1
        return self.number - 1

    def wrap(self, start, end, before, after):
        self.edits.append((start, end, before, after))

    def replace(self, token, text):
        self.edits.append((token.start, token.end, None, text))

    def token(self, i, token):
        last, after = self.all[i - 1], self.all[i + 1] if i + 1 < len(self.all) else token
        if token.kind == "number" and last.text != "." and (token.text[:2] == "0x" or "e" not in token.text):
            value = int(token.text.replace("_", ""), 0)
            other = value ^ 1 if token.text.startswith("0x") else value + 1
            text = hex(other) if token.text.startswith("0x") else str(other)
            n = self.fault(token, "constant", token.text, text)
            self.replace(token, f"fault({n}, {token.text}, {text})")
        elif token.text in ("true", "false"):
            other = "false" if token.text == "true" else "true"
            n = self.fault(token, "constant", token.text, other)
            self.replace(token, f"fault({n}, {token.text}, {other})")
        elif token.kind == "operator":
            self.operator(token, last, after)
        elif token.kind == "word":
            self.name(i, token, last, after)

    def operator(self, token, last, after):
        if token.text not in OPERATORS or after.text == "nil" or last.text == "func":
            return
        spaced = self.text[token.start - 1] in " \n" and self.text[token.end] in " \n"
        if after.kind == "number" and "." not in after.text and "e" in after.text[1:] \
                and after.text[:2] != "0x":
            return
        if not spaced or token.text in ("+", "-") and last.text in POINTERS:
            return
        other, precedence, shape = OPERATORS[token.text]
        n = self.fault(token, "operator", token.text, other)
        digits, rest = "", n
        while rest or len(digits) < 2:
            digits, rest = SYMBOLS[rest % 4] + digits, rest // 4
        self.operators.append(
            f"infix operator {digits}: {precedence}Precedence\n@inlinable @inline(__always)\n"
            f"public func {digits} {SHAPES[shape]} {{ faulty({n}) ? a {other} "
            f"{'b()' if shape == 'logic' else 'b'} : a {token.text} "
            f"{'b()' if shape == 'logic' else 'b'} }}\n")
        self.replace(token, digits)

    def name(self, i, token, last, after):
        in_pattern = self.in_pattern(i)
        if after.text in ("(", ":") and not (last.text == "." and after.text == ":"):
            return
        if last.text == "." and self.all[i - 2].kind in ("word", "mark") and \
                self.all[i - 2].text not in ("(", "[", ",", ":", "{", "return"):
            self.field(i, token, after)
        elif last.text == "." and token.text in MEMBERS and not in_pattern:
            before, other = "." + token.text, "." + MEMBERS[token.text]
            n = self.fault(last, "member", before, other)
            self.edits.append((last.start, token.end, None, f"fault({n}, {before}, {other})"))
        elif last.text == "." and token.text == "none" and not in_pattern and \
                "rearm" in self.lines[token.line - 1]:
            n = self.fault(last, "member", ".none", ".keep")
            self.edits.append((last.start, token.end, None, f"fault({n}, .none, .keep)"))
        elif last.text not in (".", "&", "let", "var", "func", "_", "inout") and \
                self.file in ("FlowKey.swift", "CRC32C.swift") and token.text in LOCALS and self.is_value(after) and not self.is_declared(i):
            n = self.fault(token, "name", token.text, LOCALS[token.text])
            self.replace(token, f"fault({n}, {token.text}, {LOCALS[token.text]})")

    def field(self, i, token, after):
        start = i - 2
        while self.all[start - 1].text == ".":
            start -= 2
        base = self.text[self.all[start].start:self.all[i - 1].start]
        if not re.fullmatch(r"[A-Za-z_.]+", base) or self.all[start - 1].text == "&" and \
                self.text[self.all[start - 1].end] != " ":
            return
        if base == "FlowKind":
            table = KINDS
        elif base[0].isupper():
            return
        else:
            table = FIELDS
        if token.text not in table or not self.is_value(after) or self.in_pattern(i):
            return
        other = table[token.text]
        if base.startswith("hit") or base in ("self", "key", "slot") and other not in LOCALS:
            if not (base == "hit.hop" or base == "key"):
                return
        n = self.fault(self.all[start], "field", f"{base}.{token.text}", f"{base}.{other}")
        self.edits.append((self.all[start].start, token.end, None,
                           f"fault({n}, {base}.{token.text}, {base}.{other})"))

    def is_declared(self, i):
        """Whether the token is a name in `let (a, b) =`."""
        while self.all[i].kind != "newline":
            if self.all[i].text == "(" and self.all[i - 1].text == "let":
                return True
            if self.all[i].text == "=":
                return False
            i -= 1
        return False

    def is_value(self, after):
        return after.text not in ASSIGNMENTS and after.text not in (".", "(", "[", ":", "?")

    def in_pattern(self, i):
        """Whether the token is in the pattern of a `case`."""
        j = i
        while j > 0 and self.all[j - 1].kind != "newline":
            if self.all[j].text in (":", "{"):
                return False
            j -= 1
        if self.all[j].text in (":", "{"):
            return False
        return self.all[j].text == "case"

    def conditions(self):
        for i, token in enumerate(self.all):
            if i in self.skip or token.text not in ("if", "guard", "while"):
                continue
            end = i + 1
            stop = "else" if token.text == "guard" else "{"
            while self.all[end].text != stop:
                end = self.close.get(end, end) + 1 if self.all[end].text in "([" else end + 1
            clauses, start = [], i + 1
            j = start
            while j <= end:
                if j == end or self.all[j].text == ",":
                    clauses.append((start, j))
                    start = j + 1
                j = self.close.get(j, j) + 1 if self.all[j].text in "([" else j + 1
            for start, stop_at in clauses:
                self.clause(start, stop_at, len(clauses) > 1)

    def clause(self, start, end, has_others):
        part = [t for t in self.all[start:end] if t.kind != "newline"]
        if part[0].text in ("let", "var", "case"):
            return
        text = self.text[part[0].start:part[-1].end]
        compares = any(t.text in ("<", "<=", ">", ">=", "==", "!=") for t in part) \
            and "nil" not in text
        if not compares:
            n = self.fault(part[0], "condition", text, f"!({text})")
            self.wrap(part[0].start, part[-1].end, "(", f") != faulty({n})")
        if has_others:
            n = self.fault(part[0], "condition", text, "left out")
            self.wrap(part[0].start, part[-1].end, "(", f") || faulty({n})")

    def statements(self):
        for i, token in enumerate(self.all):
            if i in self.skip or i == 0 or not self.starts_statement(i):
                continue
            brace = self.blocks[i]
            if brace is None:
                continue
            header = self.header(brace)
            if not header or "init" in header or "deinit" in header or self.all[brace - 1].text == "(":
                continue
            kind = self.function_of(brace)
            if kind is None:
                continue
            end = self.statement_end(i)
            text = self.text[token.start:self.all[end - 1].end]
            if token.text == "return":
                if end == i + 1 and "guard" not in header and "else" not in header:
                    n = self.fault(token, "statement", "return", "left out")
                    self.wrap(token.start, token.end, f"if !faulty({n}) {{ ", " }")
                continue
            if token.kind != "word" or token.text in KEYWORDS:
                continue
            body = self.all[i:end]
            assigns = any(t.text in ASSIGNMENTS for t in self.top_level(i, end))
            calls = body[-1].text == ")" and not assigns
            if calls and ("->" in header or self.is_closure(brace)):
                continue  # may be the value of one expression
            if not assigns and not calls:
                continue
            short = " ".join(text.split())
            n = self.fault(token, "statement", short, "left out")
            self.wrap(token.start, body[-1].end, f"if !faulty({n}) {{ ", " }")

    def is_closure(self, brace):
        """Whether a block begins with `{ names in`."""
        return any(t.text == "in" for t in self.all[brace:self.line_end(brace + 1)])

    def function_of(self, brace):
        """The header of the function around a block; None outside of any."""
        while brace is not None:
            header = self.header(brace)
            if "init" in header or "deinit" in header:
                return None
            if "func" in header:
                return header
            if any(w in header for w in ("struct", "enum", "class", "extension", "var",
                                         "subscript")):
                return None
            brace = self.blocks[brace]
        return None

    def top_level(self, i, end):
        while i < end:
            yield self.all[i]
            i = self.close.get(i, i) + 1

    def starts_statement(self, i):
        last = self.all[i - 1]
        if last.kind == "newline":
            return not self.continues(i) and not self.in_brackets(i)
        if last.text == "{":
            return True
        return last.text == ":" and self.all[i].kind == "word" and self.line_is_case(i)

    def line_is_case(self, i):
        line = self.lines[self.all[i].line - 1].lstrip()
        j = i - 1
        while self.all[j].kind != "newline":
            if self.all[j].text == "{" or self.all[j].text in "([":
                return False
            j -= 1
        return line.startswith(("case ", "default:"))

    def in_brackets(self, i):
        brace = self.blocks[i]
        depth, j = 0, i - 1
        while j > (brace if brace is not None else -1):
            if self.all[j].text in (")", "]", "}"):
                depth += 1
            elif self.all[j].text in ("(", "[", "{"):
                depth -= 1
                if depth < 0:
                    return True
            j -= 1
        return False

    def statement_end(self, i):
        """The index behind the last token of the statement that begins at i."""
        j = i
        while j < len(self.all):
            if self.all[j].text == "}":
                return j
            if self.all[j].kind == "newline" and (
                    j + 1 >= len(self.all) or not self.continues(j + 1)):
                return j
            j = self.close.get(j, j) + 1
        return j

    def apply(self):
        """Wraps nest by their extent; replacements are within."""
        inserts = []
        for order, (start, end, before, after) in enumerate(self.edits):
            if before is None:
                inserts.append((start, 2, 0, order, end, after))
            else:
                inserts.append((start, 1, -end, -order, start, before))
                inserts.append((end, 0, -start, order, end, after))
        text, at = "", 0
        for start, _, _, _, end, new in sorted(inserts):
            assert start >= at, (self.file, start, new)
            text += self.text[at:start] + new
            at = end
        return text + self.text[at:]


def computed_statics(text):
    """Statics are made once; those with a fault must be made each time."""
    return re.sub(r"(static) let (\w+: [\w.]+) = (.+)$", r"\1 var \2 { \3 }", text, flags=re.M)
