"""The shapes of secrets and personal data, each found from a fixed text inside it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from mmap import mmap
from typing import Final

Test = Callable[[bytes], bool]
#: Bytes, or a file mapped into memory.
Text = bytes | mmap


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape: `anchor` is a text it always holds, `found` matches from there on, `left` what may stand before.

    `left` is the set of bytes that belong to the value before its anchor, at most `reach` of them (and at least
    one); where it is empty, the byte before the anchor must not be a letter or digit. `real` tells a value from
    what only looks like one. `blocks` says whether attaching stops.
    """

    code: str
    words: str
    anchor: bytes
    found: re.Pattern[bytes]
    left: frozenset[int] = frozenset()
    reach: int = 64
    real: Test = lambda value: True  # noqa: ARG005
    blocks: bool = True

    def values(self, text: Text) -> Iterator[tuple[int, bytes]]:
        """(offset, value) of everything of this shape in a text."""
        at = text.find(self.anchor)
        while at >= 0:
            end = at + len(self.anchor)
            match = self.found.match(text, at)
            if match is not None:
                start = self._start(text, at)
                value = text[start : match.end()]
                if start >= 0 and self.real(value):
                    yield start, value
                    end = match.end()
            at = text.find(self.anchor, end)

    def _start(self, text: Text, at: int) -> int:
        """Where the value begins; -1 when what stands before the anchor rules it out."""
        if not self.left:
            return -1 if at and (text[at - 1] in _WORD and not _escape_before(text, at)) else at
        start = at
        while start > max(0, at - self.reach) and text[start - 1] in self.left:
            start -= 1
        return start if start < at else -1


_WORD: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_LOCAL: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._%+-")
_SCHEME: Final = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-")
#: Domains that belong to nobody (RFC 2606, RFC 6761), and addresses of services.
_NOBODY: Final = (
    b"example.com",
    b"example.org",
    b"example.net",
    b".test",
    b".invalid",
    b".example",
    b".local",
    b"localhost",
)
_SERVICES: Final = (b"noreply@", b"no-reply@", b"git@")
_EVERYBODY: Final = frozenset({b"user", b"username", b"ubuntu", b"runner", b"root", b"app", b"you", b"me", b"name",
                               b"agent", b"shared", b"public", b"sandbox", b"node", b"jovyan", b"vscode", b"ec2-user"})  # fmt: skip


def _escape_before(text: Text, at: int) -> bool:
    r"""Whether the letter before is the end of a JSON escape, as in ``\nsk-...``."""
    return at >= 2 and text[at - 2] == 0x5C and text[at - 1] in b"nrtbf"


def _mixed(value: bytes) -> bool:
    """Letters and digits, and no run of one character: random, not a word."""
    tail = value[4:]
    return any(48 <= byte <= 57 for byte in tail) and any(byte >= 65 for byte in tail) and len(set(tail)) > 7


def _somebody(value: bytes) -> bool:
    low = value.lower()
    return not low.endswith(_NOBODY) and not low.startswith(_SERVICES)


def _own_home(value: bytes) -> bool:
    parts = [part for part in re.split(rb"[/\\]", value) if part]
    return len(parts) > 1 and parts[1].lower() not in _EVERYBODY


def _password(value: bytes) -> bool:
    secret = value.rpartition(b"@")[0].rpartition(b":")[2].lower()
    host = value.rpartition(b"@")[2].lower()
    return secret not in (
        b"password",
        b"pass",
        b"pw",
        b"secret",
        b"***",
        b"xxx",
        b"...",
    ) and not host.endswith(_NOBODY)


def _not_fictional(value: bytes) -> bool:
    """Numbers ending in 555-01xx are kept for fiction in North America."""
    digits = bytes(byte for byte in value if 48 <= byte <= 57)
    return 8 <= len(digits) <= 15 and digits[-7:-2] != b"55501"


def _key(words: str, anchor: bytes, pattern: bytes, real: Test = _mixed) -> Shape:
    return Shape("secret.api-key", words, anchor, re.compile(pattern), real=real)


SHAPES: Final = (
    Shape("secret.private-key", "a private key", b"-----BEGIN ",
          re.compile(rb"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----")),
    Shape("secret.private-key", "an age identity", b"AGE-SECRET-KEY-1",
          re.compile(rb"AGE-SECRET-KEY-1[0-9A-Z]{40,80}")),
    Shape("secret.private-key", "a private note key", b"PRIVATE+KEY+",
          re.compile(rb"PRIVATE\+KEY\+[^\s\"'\\]{10,300}")),
    _key("a key of OpenAI's or Anthropic's form", b"sk-", rb"sk-[A-Za-z0-9_-]{20,250}"),
    _key("a key of Stripe's form", b"sk_live_", rb"sk_live_[A-Za-z0-9]{16,250}"),
    _key("an access key of AWS's form", b"AKIA", rb"AKIA[0-9A-Z]{16}(?![0-9A-Za-z])"),
    _key("an access key of AWS's form", b"ASIA", rb"ASIA[0-9A-Z]{16}(?![0-9A-Za-z])"),
    _key("a key of Google's form", b"AIza", rb"AIza[0-9A-Za-z_-]{35}"),
    _key("a token of Hugging Face's form", b"hf_", rb"hf_[A-Za-z0-9]{30,100}"),
    _key("a token of GitHub's form", b"ghp_", rb"ghp_[A-Za-z0-9]{30,255}"),
    _key("a token of GitHub's form", b"gho_", rb"gho_[A-Za-z0-9]{30,255}"),
    _key("a token of GitHub's form", b"ghs_", rb"ghs_[A-Za-z0-9]{30,255}"),
    _key("a token of GitHub's form", b"ghu_", rb"ghu_[A-Za-z0-9]{30,255}"),
    _key("a token of GitHub's form", b"github_pat_", rb"github_pat_[A-Za-z0-9_]{22,255}"),
    _key("a token of GitLab's form", b"glpat-", rb"glpat-[A-Za-z0-9_-]{20,100}"),
    _key("a token of Slack's form", b"xox", rb"xox[abeoprs]-[A-Za-z0-9-]{10,250}"),
    _key("a token of PyPI's form", b"pypi-AgE", rb"pypi-AgE[A-Za-z0-9_-]{20,250}"),
    _key("a key of SendGrid's form", b"SG.", rb"SG\.[A-Za-z0-9_-]{16,30}\.[A-Za-z0-9_-]{30,60}"),
    Shape("secret.token", "a signed token", b"eyJ",
          re.compile(rb"eyJ[A-Za-z0-9_-]{10,2000}\.eyJ[A-Za-z0-9_-]{10,4000}\.[A-Za-z0-9_-]{10,2000}")),
    Shape("secret.token", "an authorization header", b"Bearer ",
          re.compile(rb"Bearer [A-Za-z0-9._~+/=-]{20,500}"), real=_mixed),
    *(
        Shape("secret.password", "a secret given by name", name,
              re.compile(re.escape(name) + rb"(?:\\?[\"'])?[ ]{0,2}[=:][ ]{0,2}(?:\\?[\"'])?([A-Za-z0-9+/_.~!@#%^&*=-]{12,200})"),
              frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789"), 40, real=_mixed)
        for name in (b"_API_KEY", b"_SECRET_KEY", b"_ACCESS_KEY", b"_AUTH_TOKEN", b"_TOKEN", b"_PASSWORD")
    ),
    Shape("secret.password", "an address with a password in it", b"://",
          re.compile(rb"://[^\s/:@\"'<>\\]{1,100}:[^\s/@\"'<>\\]{1,200}@[A-Za-z0-9.-]{1,100}"), _SCHEME, 20, real=_password),
    Shape("personal.email", "an e-mail address", b"@",
          re.compile(rb"@(?:[A-Za-z0-9-]{1,63}\.){1,5}[A-Za-z]{2,24}(?![A-Za-z0-9-])"), _LOCAL, 64, real=_somebody),
    Shape("personal.phone", "what looks like a telephone number", b"+",
          re.compile(rb"\+[1-9][0-9]{0,2}[ .-]?\(?[0-9]{2,4}\)?(?:[ .-][0-9]{2,4}){2,4}(?![0-9])"), real=_not_fictional),
    Shape("personal.home-path", "a home folder with somebody's name", b"/home/",
          re.compile(rb"/home/[A-Za-z0-9._-]{1,32}(?=[/\"'\s\\:])"), real=_own_home, blocks=False),
    Shape("personal.home-path", "a home folder with somebody's name", b"/Users/",
          re.compile(rb"/Users/[A-Za-z0-9._-]{1,32}(?=[/\"'\s\\:])"), real=_own_home, blocks=False),
    Shape("personal.home-path", "a home folder with somebody's name", b":\\\\Users\\\\",
          re.compile(rb":\\\\Users\\\\[A-Za-z0-9._ -]{1,32}(?=\\)"), frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"), 1,
          real=lambda value: _own_home(value[2:]), blocks=False),
)  # fmt: skip

#: Every code, with what it means.
CODES: Final[dict[str, str]] = {
    "secret.private-key": "the private half of a key",
    "secret.api-key": "a key or token for a service",
    "secret.token": "a signed token or an authorization header",
    "secret.password": "a password, or another secret given by its name",
    "personal.email": "an e-mail address that is not one of the reserved examples",
    "personal.phone": "what looks like a telephone number",
    "personal.home-path": "a home folder that names somebody",
}


def masked(value: bytes, code: str) -> str:
    """Enough of a value to find it, too little to use it."""
    text = value.decode("utf-8", "replace")
    if code == "personal.email":
        local, _, domain = text.partition("@")
        return f"{local[:1]}…@{domain}"
    if code == "personal.home-path":
        return text
    if code == "secret.password" and "://" in text:
        return f"{text.partition('://')[0]}://…@{text.rpartition('@')[2]}"
    return f"{text[:6]}… ({len(text)} characters)"
