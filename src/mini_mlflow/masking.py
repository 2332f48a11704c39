"""Which params, arguments and texts hold secrets, and how do they look without them?

``git_probe`` runs this module without its package, so nothing of the package may be imported at its top.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable, List, Match, Optional

MASK = "***"

# A key is secret by its last words, so that tokenizer, max_tokens and token_dim are not.
_ENDINGS = (
    "password", "passwords", "passwd", "passphrase", "pwd", "secret", "secrets", "token", "key", "credential",
    "credentials", "authorization", "bearer", "jwt", "cookie", "_pat", "-pat", "connectionstring", "connection_string",
)  # fmt: skip
_AFTER_NAME = "0123456789_-. "
_SECRET_WORDS = frozenset([
    "password", "passwords", "passwd", "passphrase", "pwd", "secret", "secrets", "credential", "credentials",
    "authorization", "bearer", "jwt", "cookie", "connectionstring",
])  # fmt: skip
_GLUED = (
    "password", "passwd", "passphrase", "apikey", "secretkey", "accesskey", "privatekey", "authtoken", "accesstoken",
    "apitoken", "hubtoken", "hftoken",
)  # fmt: skip
# What a "… key" is secret after.
_KEYS = frozenset([
    "api", "access", "secret", "private", "account", "auth", "encryption", "signing", "master", "shared",
    "storage", "subscription", "ssh", "deploy", "fernet", "aes", "hmac", "openai", "anthropic", "wandb", "aws",
    "azure", "gcp", "hf", "huggingface", "comet", "neptune", "github", "gitlab", "stripe", "sendgrid",
])  # fmt: skip
_PATS = frozenset(["github", "gitlab", "git", "gh", "azure", "devops"])
# What a "… token" is secret after, beside those. After any other word it is a piece of text: fim_token, sot_token.
_TOKENS = _KEYS | frozenset([
    "hub", "authentication", "authorization", "oauth", "bearer", "session", "refresh", "id", "security", "personal",
    "service", "client", "app", "login", "csrf", "xsrf", "jwt", "bot", "deployment", "ci", "job", "runner",
    "registration", "registry", "admin", "root", "vault", "sas", "web", "webhook", "server", "tracking", "upload",
    "publish", "read", "write", "my", "face", "git", "gh", "bitbucket", "clearml", "mlflow", "dagshub", "modelscope",
    "kaggle", "cohere", "replicate", "mistral", "groq", "databricks", "snowflake", "slack", "discord", "telegram",
    "twilio", "pypi", "npm", "docker", "google", "cloud", "cloudflare", "heroku", "vercel", "sentry", "datadog",
    "grafana", "influx", "influxdb", "jenkins", "circleci", "codecov", "sonar", "jupyter", "consul", "kubernetes",
    "dropbox", "zenodo", "roboflow", "studio",
])  # fmt: skip
# What even a "… TOKEN", as variables of the environment are called, is a piece of text after.
_PIECES = frozenset([
    "pad", "padding", "eos", "bos", "unk", "sep", "cls", "mask", "masked", "special", "stop", "start", "end",
    "begin", "next", "prev", "previous", "first", "last", "image", "img", "video", "audio", "vision", "speech",
    "text", "word", "sub", "target", "source", "input", "output", "prompt", "num", "n", "max", "min", "per",
    "total", "count", "new", "empty", "blank", "space", "newline", "class", "global", "register", "reg", "tool",
    "role", "assistant", "user", "system", "turn", "think", "fim", "boi", "eoi", "boa", "eoa", "sot", "eot", "eom",
    "bom", "eod", "query", "prefix", "suffix", "middle", "null", "dist", "seq", "extra", "latent", "placeholder",
])  # fmt: skip
_PLAIN_VALUES = frozenset(
    ["", "none", "null", "true", "false", "yes", "no", "on", "off", "str", "int", "bool", "float", "bytes", "any"]
)
_WORDS = r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+"

# Every pattern takes time in proportion to the text: a run of characters is bounded, consumed, or begun only once.
_SHAPES = (
    r"(?<![A-Za-z0-9])(?:(?:AKIA|ASIA)[A-Z0-9]{12,}|gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|hf_[A-Za-z0-9]{16,}"
    r"|glpat-[\w-]{16,}|sk-[\w-]{16,}|[sr]k_(?:live|test)_\w{16,}|xox[a-z]-[\w-]{8,}|xapp-[\w-]{16,}|AIza[\w-]{30,}"
    r"|ya29\.[\w-]{16,}|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{40,}|nvapi-[\w-]{16,}|r8_[A-Za-z0-9]{20,}"
    r"|gsk_[A-Za-z0-9]{20,}|dckr_pat_[\w-]{16,}|SG\.[\w-]{16,64}\.[\w-]{16,})"
    r"|(?<![\w-])eyJ[\w-]{8,}\.eyJ[\w-]{8,}(?:\.[\w-]*)?"
)
_LOGIN = (
    r"""(://)(?:[^\s"'<>@:/]{0,256}:(?!\d{1,5}[/?#])[^\s"'<>]{0,256}@"""
    r"""|(?:(?<=http://)|(?<=https://))[^\s"'<>@:/]{1,256}@)"""
)
_BEARER = r"\b(Bearer[ \t]{1,4}|bearer[ \t]{1,4}(?=[\w.~+/=-]{16}))[\w.~+/=-]+"
_AUTHORIZATION = r"""(?i)(\bauthorization["']?[ \t]{0,4}[:=][ \t]{0,4}["']?)[^"'\s][^"'\r\n]*"""
_NAMED = (
    r"""(?<![\w.-])(-{0,3})([A-Za-z_][\w.-]{0,99})"""
    r"""(["']?\]?[ \t]{0,8}(?:=>|:=|:|=(?!=))[ \t]{0,8}|[ \t]{1,4}(?![\s-]))"""
)
_ANNOTATION = r"""[A-Za-z_][\w.]{0,60}(?:\[[^\]\n]{0,60}\])?[ \t]{0,4}=[ \t]{0,4}(?=[A-Za-z]{0,2}["'])"""
_OPENING = r"""[A-Za-z]{0,2}("{3}|'{3}|["'])"""
_INSIDE = {'"': r'(?:[^"\\\n]|\\.)+', "'": r"(?:[^'\\\n]|\\.)+"}
_BARE = r"""[^\s"'`,;&<>()\[\]{}|\\]+"""
_DOTTED = r"[A-Za-z_]+(?:\.[A-Za-z_]+)+"
_PEM_BEGIN = r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,20}-----"


def mask_text(text: str) -> str:
    """Return *text* with its secrets replaced by ``***``: passwords and tokens by their names or by their looks.

    Args:
        text: Of any length; the time it takes is in proportion.

    Unless ``MINI_MLFLOW_MASK`` is ``off``.
    """
    return hide(text) if _is_wanted() else text


def mask_arguments(arguments: Iterable[str]) -> List[str]:
    """Return a command line with its secrets replaced by ``***``, such as what follows ``--api-key``.

    Unless ``MINI_MLFLOW_MASK`` is ``off``.
    """
    given = [str(argument) for argument in arguments]
    if not _is_wanted():
        return given
    masked = []
    is_secret = False  # what the option before this argument was for
    for argument in given:
        if is_secret and not argument.startswith("-"):
            masked.append(MASK)
            is_secret = False
            continue
        name, equals, value = argument.lstrip("-+~").partition("=")
        is_secret = not equals and argument.startswith("-") and is_secret_key(name)
        if equals and re.fullmatch(r"[\w./-]+", name) and is_secret_key(name):
            masked.append(argument[: len(argument) - len(value)] + (value if _is_plain(value) else MASK))
        else:
            masked.append(hide(argument))
    return masked


def mask_param(key: str, value: Any) -> Any:
    """Return the value of a param, or ``***`` where its key or its looks say that it is a secret.

    Args:
        key: The param's name; its last words tell, so ``hub_token`` is a secret and ``token_dim`` is none.
        value: Text is masked, also inside lists and dicts; numbers never are.

    Unless ``MINI_MLFLOW_MASK`` is ``off``.
    """
    if type(value) is str:
        if key.lower().rstrip(_AFTER_NAME).endswith(_ENDINGS) and is_secret_key(key):
            return value if _is_plain(value) or not _is_wanted() else MASK
        if ":" not in value and "=" not in value and " " not in value and (len(value) < 16 or not _may_be_token(value)):
            return value
        return hide(value) if _is_wanted() else value
    if type(value) is list:
        return [mask_param(key, item) for item in value]
    if type(value) is dict:
        return {name: mask_param(name if type(item) is str else key, item) for name, item in value.items()}
    return value


def is_secret_key(key: str) -> bool:
    """Tell whether a name says that its value is a secret: ``password``, ``api_key``, ``hubToken``, ``DB_PWD``."""
    if not key.lower().rstrip(_AFTER_NAME).endswith(_ENDINGS) or key in ("PWD", "OLDPWD"):
        return False
    words = [word.lower() for word in re.findall(_WORDS, key[-200:])]
    while words and words[-1].isdigit():
        words.pop()
    last = words[-1] if words else ""
    before = words[-2] if len(words) > 1 else ""
    if last == "token":
        return _is_secret_token(key, before)
    if last == "key":
        return before in _KEYS
    if last == "pat":
        return before in _PATS
    if last == "string":
        return before == "connection"
    return last in _SECRET_WORDS or last.endswith(_GLUED)


def _is_secret_token(key: str, before: str) -> bool:
    """Tell whether a "… token" is secret: alone (also in ``hub.token``), after a known word, or named as a variable."""
    above = key.rstrip(_AFTER_NAME)[: -len("token")]
    return not before or above[-1:] in (".", "/", ":") or before in _TOKENS or (key.isupper() and before not in _PIECES)


def hide(text: str) -> str:
    """Return *text* with its secrets replaced by ``***``, whatever the settings."""
    if "PRIVATE KEY" in text:
        text = _hide_keys(text)
    if "://" in text:
        text = re.sub(_LOGIN, r"\1***@", text)
    text = re.sub(_AUTHORIZATION, r"\1***", text)
    if "earer" in text:
        text = re.sub(_BEARER, r"\1***", text)
    return re.sub(_SHAPES, _hide_shape, _hide_named(text))


def _is_wanted() -> bool:
    from . import config  # not at the top: see there

    return config.is_masking_wanted()


def _may_be_token(value: str) -> bool:
    """Tell whether a text may hold one of the shapes; the time of logging a param is spent here."""
    return (
        "_" in value or "-" in value or "." in value or "AKIA" in value or "ASIA" in value or "AIza" in value
    ) and re.search(_SHAPES, value) is not None  # fmt: skip


def _is_plain(value: str) -> bool:
    """Tell whether a value says nothing secret: none at all, a word such as ``true``, a special token, a variable."""
    return (
        value.lower() in _PLAIN_VALUES
        or value.startswith("$")
        or (len(value) <= 32 and value[:1] + value[-1:] in ("<>", "[]"))
    )


def _hide_shape(match: Match[str]) -> str:
    found = match.group()
    if found.startswith("sk-") and not re.search(r"(?=[A-Za-z0-9]*[0-9])[A-Za-z0-9]{12}", found[:600]):
        return found  # words with hyphens
    return MASK


def _hide_keys(text: str) -> str:
    """Hide what stands between BEGIN and END of a private key, and keep the lines."""
    parts = []
    done = 0
    for begin in re.finditer(_PEM_BEGIN, text):
        if begin.start() < done:
            continue
        end = text.find("-----END ", begin.end())
        end = len(text) if end < 0 else end
        lines = text[begin.end() : end].split("\n")
        # What a diff has before its lines stays, as the diff would be none without.
        shown = [line if line in ("", "+", "-", " ") else line[: line[:1] in ("+", "-", " ")] + MASK for line in lines]
        parts += [text[done : begin.end()], "\n".join(shown)]
        done = end
    return "".join([*parts, text[done:]])


def _hide_named(text: str) -> str:
    """Hide values by the names before them: ``--api-key X``, ``password=X``, ``"token": "X"``, ``API_KEY: X``."""
    parts = []
    done = 0
    for match in re.finditer(_NAMED, text):
        dashes, name, separator = match.groups()
        if match.start() < done or not name.lower().rstrip(_AFTER_NAME).endswith(_ENDINGS):
            continue
        if (not separator.strip() and not dashes) or not is_secret_key(name):
            continue
        annotation = re.compile(_ANNOTATION).match(text, match.end()) if ":" in separator else None
        start = annotation.end() if annotation else match.end()
        span = _value_span(text, start, name, separator)
        if span is not None:
            parts += [text[done : span[0]], MASK]
            done = span[1]
    return "".join([*parts, text[done:]])


def _value_span(text: str, start: int, name: str, separator: str) -> Optional[Any]:
    """Return where the secret value begins and ends that stands at *start*, None where it is none."""
    opening = re.compile(_OPENING).match(text, start)
    if opening is not None:
        quote = opening.group(1)
        inside = re.compile(_INSIDE[quote[0]]).match(text, opening.end())
        return None if inside is None or _is_plain(inside.group()) else inside.span()
    bare = re.compile(_BARE).match(text, start)
    if bare is None:
        return None
    value = bare.group()
    after = text[bare.end() : bare.end() + 1]
    if after in ("(", "[") or _is_plain(value) or value.lower() == name.lower() or re.fullmatch(_DOTTED, value):
        return None  # program text that gets the secret from elsewhere
    is_prose = ":" in separator and value.isalpha() and after == " " and text[bare.end() + 1 : bare.end() + 2].isalpha()
    return None if is_prose else bare.span()
