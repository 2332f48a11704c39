"""Which texts, arguments and params lose a secret, and which keep what only looks like one?"""

import time

import pytest

from mini_mlflow import Run
from mini_mlflow.errors import InvalidValueError
from mini_mlflow.masking import is_secret_key, mask_arguments, mask_param, mask_text

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\nabc=\n-----END RSA PRIVATE KEY-----"


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    monkeypatch.delenv("MINI_MLFLOW_MASK", raising=False)


# E07: texts and command lines -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("--api-key X", "--api-key ***"),
        ("--password=X", "--password=***"),
        ("Bearer X", "Bearer ***"),
        ("Authorization: Bearer X", "Authorization: ***"),
        ("authorization: Basic dXNlcjpwYXNz", "authorization: ***"),
        ("curl -H 'Authorization: token X' h", "curl -H 'Authorization: ***' h"),
        ("postgres://u:p@h", "postgres://***@h"),
        ("postgres://u:p@ss@h/db", "postgres://***@h/db"),
        ("redis://:p@h:6379/0", "redis://***@h:6379/0"),
        ("s3://K:S@b", "s3://***@b"),
        ("s3://K:S/T+U@b/x", "s3://***@b/x"),
        ("https://t0ken@h/r", "https://***@h/r"),
        ("https://h/p?x=1&api_key=abc&y=2", "https://h/p?x=1&api_key=***&y=2"),
        ('{"api_key": "a b", "n": 1}', '{"api_key": "***", "n": 1}'),
        ("token: str = 'abc'", "token: str = '***'"),
        ("password = 'a\\'b'  # x", "password = '***'  # x"),
        ('os.environ["HF_TOKEN"] = "x"', 'os.environ["HF_TOKEN"] = "***"'),
        ("export AWS_SECRET_ACCESS_KEY=a/b+c", "export AWS_SECRET_ACCESS_KEY=***"),
        ("DB_PASSWORD: hunter2", "DB_PASSWORD: ***"),
        ("+password: hunter", "+password: ***"),
        ("--- --token abc", "--- --token ***"),
        ("x ghp_" + "a1" * 18 + " y", "x *** y"),
        (PEM, "-----BEGIN RSA PRIVATE KEY-----\n***\n***\n-----END RSA PRIVATE KEY-----"),
        ("-----BEGIN PRIVATE KEY-----\nabc", "-----BEGIN PRIVATE KEY-----\n***"),
    ],
)
def test_e07_secrets_in_a_text_are_masked(text, masked):
    assert mask_text(text) == masked
    assert mask_text("a\n%s\nb" % text) in ("a\n%s\nb" % masked, "a\n%s\n***" % masked)  # a key without end goes on


@pytest.mark.parametrize(
    "text",
    [
        "", "lr = 0.1", "max_tokens=5", "tokenizer: bert-base-uncased", 'pad_token = "<pad>"', "token = tokens[i]",
        "token = next(tokens)", "token=token", "token = args.token", "password=None", "token: Optional[str] = None",
        "token: str", "API_KEY=$API_KEY", "api_key = ${{ secrets.KEY }}", "token == 'x'", "token: the first of them",
        "http://h:80/@scope/x", "git@github.com:o/r", "ssh://git@h/r", "https://h/x?y=1", "PWD=/home/me", "key = x",
        "the bearer of news", "basic token ring", "sk-learn-model-with-a-long-name", "task-0123456789abcdef0123",
        "0123456789abcdef0123456789abcdef01234567", "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----",
        "secret_santa=bob", "a://b", "password=", 'password=""', "--token --verbose",
    ],
)  # fmt: skip
def test_e07_what_is_no_secret_stays(text):
    assert mask_text(text) == text


@pytest.mark.parametrize(
    ("arguments", "masked"),
    [
        (["t.py", "--api-key", "X", "--lr", "1"], ["t.py", "--api-key", "***", "--lr", "1"]),
        (["--password=X"], ["--password=***"]),
        (["-H", "Authorization: Bearer X"], ["-H", "Authorization: ***"]),
        (["Bearer X"], ["Bearer ***"]),
        (["postgres://u:p@h", "s3://K:S@b"], ["postgres://***@h", "s3://***@b"]),
        (["db.password=X", "+hub.token=Y"], ["db.password=***", "+hub.token=***"]),
        (["--hub_token", "X y"], ["--hub_token", "***"]),
        (["--hub-token", "--lr", "1"], ["--hub-token", "--lr", "1"]),
        (["--max_tokens", "5", "--token-dim", "8"], ["--max_tokens", "5", "--token-dim", "8"]),
        (["--use-token=true", "--api-key="], ["--use-token=true", "--api-key="]),
        (["-c", "login(token='X')"], ["-c", "login(token='***')"]),
        (["--config", '{"password": "X"}'], ["--config", '{"password": "***"}']),
        (["--api-key"], ["--api-key"]),
        ([], []),
    ],
)
def test_e07_secrets_in_a_command_line_are_masked(arguments, masked):
    assert mask_arguments(arguments) == masked


# E08: params --------------------------------------------------------------------------------------------------------

VALUES = [
    "AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE", "ghp_" + "a1B2" * 9, "github_pat_" + "a1B2" * 9, "hf_" + "aBcD" * 8,
    "sk-" + "a1B2" * 12, "sk-proj-ab_c-" + "a1B2" * 9, "xoxb-123456789012-abcdef", "glpat-" + "a1B2" * 5,
    "AIza" + "a1B2-" * 7, "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-def_ghi", "npm_" + "a1B2" * 9,
    "sk_live_" + "a1B2" * 6, "SG." + "a1B2" * 5 + "." + "a1B2" * 10,
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES)
def test_e08_a_param_that_looks_like_a_token_is_masked(value, monkeypatch):
    assert mask_param("note", value) == "***"
    assert mask_param("note", "use %s here" % value) == "use *** here"
    monkeypatch.setenv("MINI_MLFLOW_MASK", "off")
    assert mask_param("note", value) == value


def test_e08_a_private_key_is_masked():
    assert "MII" not in mask_param("note", PEM)


@pytest.mark.parametrize(
    "key",
    ["hub_token", "aws_secret_access_key", "password", "PASSWORD", "db.password", "dbPassword", "api_key", "apiKey",
     "APIKey", "api-key", "api_key_2", "token", "HF_TOKEN", "hubToken", "client_secret", "secret", "passwd",
     "DB_PWD", "private_key", "openai_key", "github_pat", "aws_credentials", "passphrase", "azure_connection_string",
     "MYSQLPASSWORD", "authtoken", "use_auth_token", "session_token", "id_token", "slackBotToken", "hub.token",
     "model/token", "github_token_2", "HUGGING_FACE_TOKEN", "ACME_TOKEN", "--read-token"],
)  # fmt: skip
def test_e08_a_param_whose_name_says_so_is_masked(key, monkeypatch):
    assert is_secret_key(key)
    assert mask_param(key, "swordfish") == "***"
    monkeypatch.setenv("MINI_MLFLOW_MASK", "off")
    assert mask_param(key, "swordfish") == "swordfish"


@pytest.mark.parametrize(
    "key",
    ["tokenizer", "max_tokens", "token_dim", "secret_santa", "key", "primary_key", "rng_key", "image_key", "monkey",
     "hotkey", "pad_token", "eosToken", "special_token", "num_token", "token_id", "tokens", "keys", "api_key_file",
     "path", "patience", "PWD", "password_length", "keyboard", "compass", "", "7", "ß", "fim_token", "boi_token",
     "query_token", "prefix_token", "suffixToken", "middle_token", "null_token", "dist_token", "image_seq_token",
     "reg_token", "sot_token", "eot_token", "bom_token", "model.fim_token", "FIM_PREFIX_TOKEN", "whatever_token"],
)  # fmt: skip
def test_e08_a_param_whose_name_only_resembles_one_stays(key):
    assert not is_secret_key(key)
    assert mask_param(key, "swordfish") == "swordfish"


@pytest.mark.parametrize("value", [5, 5.0, True, None, float("inf"), 10**30])
def test_e08_numbers_are_never_masked(value):
    assert mask_param("password", value) is value
    assert mask_param("max_tokens", value) is value


@pytest.mark.parametrize("value", ["", "none", "True", "off", "<pad>", "[MASK]", "$HF_TOKEN"])
def test_e08_a_value_that_tells_nothing_stays(value):
    assert mask_param("token", value) == value


def test_e08_secrets_inside_lists_and_dicts_are_masked():
    value = {"url": "postgres://u:p@h", "token": "x", "password": 5, "deep": [{"api_key": "y"}, VALUES[0], 1]}
    masked = {"url": "postgres://***@h", "token": "***", "password": 5, "deep": [{"api_key": "***"}, "***", 1]}
    assert mask_param("settings", value) == masked
    assert mask_param("secrets", ["a", 1]) == ["***", 1]
    assert value["token"] == "x"


def test_a_setting_that_says_neither_is_refused(monkeypatch):
    monkeypatch.setenv("MINI_MLFLOW_MASK", "maybe")
    with pytest.raises(InvalidValueError, match="MINI_MLFLOW_MASK must be 'on' or 'off'"):
        mask_param("password", "x")
    assert mask_param("optimizer", "adam") == "adam"


# No text takes longer than in proportion to its length -------------------------------------------------------------


@pytest.mark.parametrize(
    "unit",
    ["a", "a-", "-", "_", " ", "a.", "://", "://a:", "http://", "eyJ-", "eyJaaaaaaaaa.", "sk-", "SG.", "token=",
     'token="', 'password: "a\\', "token: Optional[", "token: a[ ", "key ", "Bearer ", "authorization:",
     "-----BEGIN PRIVATE KEY-----", "-----BEGIN ", "AKIA", "'", '"', "\\", "\n", "pypi-a", "a" * 99 + "-"],
)  # fmt: skip
def test_a_text_made_to_take_long_does_not(unit):
    """In proportion it takes a tenth of a second; in proportion to the square it would be minutes."""
    text = (unit * (2**19 // len(unit) + 1))[: 2**19]
    start = time.process_time()
    mask_text(text)
    assert time.process_time() - start < 30


def test_a_megabyte_of_program_text_is_masked_in_one_go():
    text = ('    optimizer = build(model, lr=0.1, token=token)  # see "docs"\n' * 17000)[: 2**20]
    assert mask_text(text) == text


# At the doors -------------------------------------------------------------------------------------------------------


def contents(folder):
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()).decode()


def test_e08_no_secret_param_reaches_a_file(tmp_path):
    with Run(runs_dir=str(tmp_path)) as run:
        run.log_param("hub_token", "swordfish")
        run.log_params({"aws_secret_access_key": "swordfish", "max_tokens": 512, "note": VALUES[0]})
        run.log_params({"login": {"password": "swordfish"}, "url": "postgres://u:swordfish@h"})
        run.log_batch(params={"api_key": "swordfish"}, metrics={"token": 7.5})
    written = contents(tmp_path)
    assert "swordfish" not in written
    assert VALUES[0] not in written
    assert '"value": 512' in written
    assert '"value": 7.5' in written


def test_e08_secret_params_are_kept_where_masking_is_off(tmp_path, monkeypatch):
    monkeypatch.setenv("MINI_MLFLOW_MASK", "off")
    with Run(runs_dir=str(tmp_path)) as run:
        run.log_param("hub_token", "swordfish")
    assert "swordfish" in contents(tmp_path)


def test_e08_what_looks_like_a_secret_is_masked_also_where_its_name_tells_a_special_token():
    assert mask_param("fim_token", "hf_" + "aBcD" * 8) == "***"
    assert mask_param("fim_token", "<|fim_middle|>") == mask_text("<|fim_middle|>") == "<|fim_middle|>"
    assert mask_text("fim_token=fim sot_token: x ACME_TOKEN=y") == "fim_token=fim sot_token: x ACME_TOKEN=***"
